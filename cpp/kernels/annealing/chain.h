/// One Markov chain of spins in memory, as the annealing kernels read and write it.
#pragma once

#include <cstdint>

#include "kernels/metropolis/random_stream.h"
#include "simd/layout.h"

namespace isingprop {

/// The spins that flipped in a half-sweep are marked by one bit each, in words of this many bits.
inline constexpr int kFlipBits = 64;

/// The largest 2 beta / ln 2 of a chain. Multiplied by the 2^23 of acceptance.h, this is still a
/// float, and any field but 0 times this decides for certain.
inline constexpr float kLargestSlope = 0x1p104f;

inline constexpr std::int64_t num_flip_words(std::int64_t num_spins) {
  return (num_spins + kFlipBits - 1) / kFlipBits;
}

/// The stored part of one row of sparse couplings: from the block of its first non-zero coupling to
/// the block of its last one.
///
///     blocks of the row:  [0 0 0][0 J 0][0 0 J][0 0 0]   ->   first = 1, last = 3
struct RowSpan {
  std::int64_t offset;       ///< of the stored part in the array of rows, in floats
  std::int64_t first, last;  ///< blocks [first, last) of the row are stored
};

/// One layer of one chain. Arrays are 64-byte aligned and padded to whole blocks; `other` stands
/// for the other layer of the chain.
struct Layer {
  std::int64_t num_spins;
  const float* own_fields;   ///< h_i; -1e30 in the padding, whose flips are never marked
  const float* down_fields;  ///< k_i when all spins of `other` are -1
  const float* rows;         ///< 2 J, a row per spin of this layer over the padded spins of `other`
  const RowSpan* spans;      ///< the stored part of each row, or null when rows are stored whole
  float* coupling_fields;    ///< k_i = sum_j J_ij t_j, exact (see CouplingGrid); 0 in the padding
  float* thresholds;         ///< of the next half-sweep; see acceptance.h
  std::uint32_t* randoms;    ///< the random numbers from which the thresholds were computed
  std::uint32_t* signs;      ///< the sign bit of each spin
  std::uint64_t* flips;      ///< one bit per spin: set if it flipped in the last half-sweep
  /// The slope of each spin is the chain's slope times this, or null where all factors are 1.
  const float* gains = nullptr;
  /// Bounds of the rounding error of each spin's field. Used by settled() alone.
  const float* tolerances = nullptr;
};

/// One chain: two layers whose spins couple only to those of the other layer.
struct Chain {
  Layer hidden;
  Layer output;
  std::uint32_t* generator;  ///< kGeneratorWords; word w of lane l is at [w * kBlock + l]
};

}  // namespace isingprop
