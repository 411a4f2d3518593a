/// Cyclic annealing on the CPU: repeated reheating near a reference state and cooling down again.
///
/// In sweep k of a cycle the energy is E(s) - bias_k sum_i r_i s_i, which pulls the spins toward
/// the reference r, and the inverse temperature is beta_k. The last bias is 0, unless there is a
/// single sweep, and a zero-temperature descent of E ends the cycle. The lowest state so far is the
/// reference of the next cycle:
///
///     reference r0 --cycle--> s1   E(s1) < E(r0): the next reference is s1
///                  --cycle--> s2   E(s2) >= E(s1): the next reference is still s1
///
/// Wang, Yeh & Kamenev 2022 (doi:10.1038/s41467-022-33179-y) do this on a quantum annealer, with
/// the transverse field in place of the temperature.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

struct CyclicPlan {
  const double* betas;      ///< inverse temperature of each sweep of a cycle
  const double* biases;     ///< bias of each sweep of a cycle, in the unit of J
  std::int64_t num_sweeps;  ///< of a cycle, at least 1
  std::int64_t num_cycles;  ///< at least 1
  bool relative;            ///< whether betas are relative to each problem, see local_scales.h
  Reads reads;              ///< whose initial states, which must be given, are the references
};

/// Fills spins and energies with the lowest state of each read, the reference included, and
/// cycle_spins (num_problems, num_reads, num_cycles, num_hidden + num_output) with the states in
/// which the cycles ended.
///
/// Throws std::invalid_argument for couplings or fields that are not finite, and Interrupted when
/// the user wants to stop.
template <class Real>
void cycle(const Problem<Real>& problem, const CyclicPlan& plan, std::int8_t* spins,
           double* energies, std::int8_t* cycle_spins, Interrupt& interrupt);

}  // namespace isingprop
