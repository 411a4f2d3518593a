/// Zero-temperature descent of given states: no random numbers, no temperature.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

/// Flips spins of the start states reads.initial, which must not be null, until no single flip
/// lowers the energy: first all hidden spins that gain, then all output spins, and so on. A spin
/// whose local field is exactly 0 keeps its sign.
///
/// Fills spins (num_problems, num_reads, num_hidden + num_output) and energies (num_problems,
/// num_reads). The seed and the streams of the reads are not used. Throws std::invalid_argument for
/// couplings or fields that are not finite, and Interrupted when the user wants to stop.
template <class Real>
void descend(const Problem<Real>& problem, const Reads& reads, std::int8_t* spins, double* energies,
             Interrupt& interrupt);

}  // namespace isingprop
