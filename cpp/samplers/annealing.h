/// Simulated annealing of many problems under one set of couplings.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

struct AnnealingPlan {
  const double* betas;      ///< inverse temperature of each sweep
  std::int64_t num_sweeps;  ///< at least 1
  /// Whether betas are multiples of 1 / (rms local field of a random state) of each problem.
  bool relative;
  bool descend;  ///< whether a zero-temperature descent ends each read
  Reads reads;
};

/// Fills spins (num_problems, num_reads, num_hidden + num_output) and energies (num_problems,
/// num_reads).
///
/// Throws std::invalid_argument for couplings or fields that are not finite, and Interrupted when
/// the user wants to stop.
template <class Real>
void anneal(const Problem<Real>& problem, const AnnealingPlan& plan, std::int8_t* spins,
            double* energies, Interrupt& interrupt);

}  // namespace isingprop
