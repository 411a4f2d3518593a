/// One J and B sets of fields, as the user's arrays hold them; their energies; what is asked of
/// every sampler.
#pragma once

#include <cstdint>

#include "targets/kernel_table.h"
#include "util/pool.h"

namespace isingprop {

template <class Real>
struct Problem {
  const Real* couplings;      ///< (num_hidden, num_output)
  const Real* hidden_fields;  ///< (num_problems, num_hidden)
  const Real* output_fields;  ///< (num_problems, num_output), or one row for all
  std::int64_t num_problems, num_hidden, num_output;
  bool one_output_row;

  std::int64_t num_spins() const { return num_hidden + num_output; }
  const Real* hidden_of(std::int64_t b) const { return hidden_fields + b * num_hidden; }
  const Real* output_of(std::int64_t b) const {
    return output_fields + (one_output_row ? 0 : b * num_output);
  }
  /// Energies of some states of problem b; spans: see EnergyJob.
  void energies_of(std::int64_t b, const std::int8_t* spins, std::int64_t num_states,
                   double* energies, const RowSpan* spans = nullptr) const;
};

/// Read r of problem b depends on (problem b, seed, streams[b], r), the sampler's settings, and
/// nothing else.
struct Reads {
  std::int64_t num_reads;
  std::uint64_t seed;
  const std::uint64_t*
      streams;  ///< (num_problems): which random stream each set of fields draws from
  const std::int8_t* initial;  ///< start states, or null for random ones
  std::int64_t initial_problem_stride, initial_read_stride;  ///< in spins; 0 repeats one state
  int num_threads;

  /// Null where states start at random.
  const std::int8_t* initial_of(std::int64_t b, std::int64_t read) const {
    return initial == nullptr ? nullptr
                              : initial + b * initial_problem_stride + read * initial_read_stride;
  }
};

/// Work is counted in additions; so many of them take a millisecond or less, after which an
/// interrupt is looked for.
inline constexpr std::int64_t kWorkPerPoll = 1 << 20;

/// Energies of given states (num_problems, num_reads, num_hidden + num_output).
template <class Real>
void energies(const Problem<Real>& problem, const std::int8_t* spins, std::int64_t num_reads,
              double* energies, Interrupt& interrupt);

}  // namespace isingprop
