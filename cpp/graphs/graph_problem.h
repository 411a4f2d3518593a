/// An Ising problem on any graph, as the user gives it, and its reads.
#pragma once

#include <cstdint>

#include "kernels/metropolis/random_stream.h"

namespace isingprop {

/// E = sum_i h_i s_i + sum_ij J_ij s_i s_j.
struct GraphProblem {
  std::int64_t num_spins, num_couplings;
  const std::int64_t* ends;  ///< (num_couplings, 2): two different spins, each pair once
  const double* couplings;   ///< (num_couplings,)
  const double* fields;      ///< (num_spins,)
};

/// Which reads are sampled, and from what. A read depends on the problem, the seed, its number and
/// the settings of the sampler, and on nothing else.
struct GraphReads {
  std::int64_t first, count;  ///< the reads are first ... first + count - 1
  std::uint64_t seed;
  const std::int8_t* initial;  ///< start states (count, num_spins), or null for random ones
  int num_threads;

  /// Returns the key of the random stream of read first + k.
  std::uint64_t key(std::int64_t k) const {
    constexpr std::uint64_t kStream = 0;  // of the only problem
    return stream_key(seed, kStream, static_cast<std::uint64_t>(first + k));
  }
  /// Returns the start state of read first + k, or null if it starts at random.
  const std::int8_t* initial_of(std::int64_t k, std::int64_t num_spins) const {
    return initial == nullptr ? nullptr : initial + k * num_spins;
  }
};

}  // namespace isingprop
