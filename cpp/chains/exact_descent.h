/// The end of a descent, in exact arithmetic on the numbers that the user gave.
///
/// The kernel `descend` works on rounded couplings (see CouplingGrid). Where a local field is
/// within its rounding error, it may have the wrong sign:
///
///     h_i = -1, J_ij t_j = 1 + 2^-40   ->   on the grid f_i = 0, so the spin stays; in fact 2^-40
///
/// Such spins are few. Their fields are summed again: in double precision, and if that leaves the
/// sign open, without any rounding (Shewchuk 1997, doi:10.1007/PL00009321).
#pragma once

#include <cstdint>
#include <vector>

#include "chains/problem.h"

namespace isingprop {

/// Returns the sign of the exact sum of numbers whose sizes add up to at most 1e300: -1, 0 or +1.
int sign_of_sum(const std::vector<double>& terms);
/// Returns the same, from a sum in double precision where that is certain.
int sign_of(const std::vector<double>& terms);

/// Flips spins until no single flip lowers the energy of problem b, as it was given. `chain` holds
/// the state `spins` and its fields, and the spins that its tolerances leave open are looked at
/// first; if all of them stay, so does every other spin.
template <class Real>
void descend_exactly(const Problem<Real>& problem, std::int64_t b, const Chain& chain,
                     std::int8_t* spins);

}  // namespace isingprop
