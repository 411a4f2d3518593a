/// Simulated annealing of many fields under one set of couplings: the chains, their random streams, the threads.
#pragma once

#include <cstdint>

#include "core/pool.h"

namespace isingprop {

/// One J and B sets of fields, as the user's arrays hold them.
template <class Real>
struct Problem {
  const Real* couplings;      ///< (num_hidden, num_output)
  const Real* hidden_fields;  ///< (num_problems, num_hidden)
  const Real* output_fields;  ///< (num_problems, num_output), or one row for all
  std::int64_t num_problems, num_hidden, num_output;
  bool one_output_row;

  const Real* hidden_of(std::int64_t b) const { return hidden_fields + b * num_hidden; }
  const Real* output_of(std::int64_t b) const { return output_fields + (one_output_row ? 0 : b * num_output); }
};

struct AnnealingPlan {
  const double* betas;      ///< inverse temperature of each sweep
  std::int64_t num_sweeps;  ///< at least 1
  bool relative;            ///< betas are multiples of 1 / (rms local field of a random state) of each problem
  bool descend;             ///< end with a zero-temperature descent
  std::int64_t num_reads;
  std::uint64_t seed;
  const std::uint64_t* streams;  ///< (num_problems): which random stream each set of fields draws from
  const std::int8_t* initial;    ///< start states, or null for random ones
  std::int64_t initial_problem_stride, initial_read_stride;  ///< in spins; 0 repeats one state
  int num_threads;
};

/// Fills spins (num_problems, num_reads, num_hidden + num_output) and energies (num_problems, num_reads).
///
/// Read r of problem b depends on (problem b, plan.seed, plan.streams[b], r) and on nothing else. Throws
/// std::invalid_argument for couplings or fields that are not finite, Interrupted where the user wants to stop.
template <class Real>
void anneal(const Problem<Real>& problem, const AnnealingPlan& plan, std::int8_t* spins, double* energies,
            Interrupt& interrupt);

/// Energies of given states (num_problems, num_reads, num_hidden + num_output).
template <class Real>
void energies(const Problem<Real>& problem, const std::int8_t* spins, std::int64_t num_reads, double* energies,
              Interrupt& interrupt);

}  // namespace isingprop
