/// The problem and the reads that a sampler is given: views of the user's arrays.
#pragma once

#include <cstdint>

#include "kernels/annealing/chain.h"
#include "util/interrupt.h"

namespace isingprop {

/// B problems under one set of couplings, each with fields of its own.
template <class Real>
struct Problem {
  const Real* couplings;      ///< (num_hidden, num_output)
  const Real* hidden_fields;  ///< (num_problems, num_hidden)
  const Real* output_fields;  ///< (num_problems, num_output), or one row for all problems
  std::int64_t num_problems, num_hidden, num_output;
  bool one_output_row;

  std::int64_t num_spins() const { return num_hidden + num_output; }
  const Real* hidden_of(std::int64_t b) const { return hidden_fields + b * num_hidden; }
  const Real* output_of(std::int64_t b) const {
    return output_fields + (one_output_row ? 0 : b * num_output);
  }

  /// Returns the largest |h| of all fields. Throws std::invalid_argument if one is not finite.
  double largest_field() const;

  /// Computes the energies of states of problem b; `spans` are those of EnergyJob.
  void energies_of(std::int64_t b, const std::int8_t* spins, std::int64_t num_states,
                   double* energies, const RowSpan* spans = nullptr) const;
};

/// How often each problem is sampled, and from what. Read r of problem b depends on the problem,
/// the seed, streams[b], r and the settings of the sampler, and on nothing else.
struct Reads {
  std::int64_t num_reads;  ///< of each problem
  std::uint64_t seed;
  const std::uint64_t* streams;  ///< (num_problems,): the random stream of each problem
  const std::int8_t* initial;    ///< start states, or null for random ones
  /// Distances in spins between the start states of consecutive problems and of consecutive reads;
  /// 0 repeats one state.
  std::int64_t initial_problem_stride, initial_read_stride;
  int num_threads;

  /// Returns the start state of a read, or null if it starts at random.
  const std::int8_t* initial_of(std::int64_t b, std::int64_t read) const {
    if (initial == nullptr) return nullptr;
    return initial + b * initial_problem_stride + read * initial_read_stride;
  }
};

/// Additions between two polls of the interrupt. They take a millisecond or less.
inline constexpr std::int64_t kWorkPerPoll = 1 << 20;

/// Computes the energies of given states (num_problems, num_reads, num_hidden + num_output).
template <class Real>
void energies(const Problem<Real>& problem, const std::int8_t* spins, std::int64_t num_reads,
              double* energies, Interrupt& interrupt);

}  // namespace isingprop
