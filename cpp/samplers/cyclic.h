/// Cyclic annealing on the CPU: reheating near a reference state and cooling down again, over and
/// over.
///
/// In sweep k of a cycle the energy is E(s) - bias_k sum_i r_i s_i, which draws the spins toward
/// the reference r, and the inverse temperature is beta_k; the last bias is 0 (but for a single
/// sweep), and a zero-temperature descent of E ends the cycle. The lowest state so far is the
/// reference of the next cycle. With a temperature in place of the transverse field this is what
/// Wang, Yeh & Kamenev 2022 (doi:10.1038/s41467-022-33179-y) do on a quantum annealer.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

struct CyclicPlan {
  const double* betas;                  ///< of each sweep of a cycle
  const double* biases;                 ///< the same
  std::int64_t num_sweeps, num_cycles;  ///< at least 1 each
  bool relative;  ///< in units of 1 / (rms local field of a random state) of each problem
  Reads reads;    ///< initial, which must be given, holds the references
};

/// Fills spins and energies with the lowest state of each read, the reference included, and
/// cycle_spins (num_problems, num_reads, num_cycles, num_hidden + num_output) with the states that
/// the cycles ended in. Throws std::invalid_argument for couplings or fields that are not finite,
/// Interrupted where the user wants to stop.
template <class Real>
void cycle(const Problem<Real>& problem, const CyclicPlan& plan, std::int8_t* spins,
           double* energies, std::int8_t* cycle_spins, Interrupt& interrupt);

}  // namespace isingprop
