/// Couplings on any graph, and the reads that the kernels of graphs work on.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// Reads of a block, which has two words of half as many bits for each spin.
inline constexpr int kMostReads = 64;
inline constexpr int kReadsPerWord = 32;
/// Consecutive spins whose random numbers are drawn together.
inline constexpr int kGroup = kBlock;
/// Generators of one read: spin p of a sweep uses generator p % kStreams.
inline constexpr int kStreams = 4;
/// Words of random state of a block: word w of generator l of read r is at
/// [(4 l + w) * kMostReads + r].
inline constexpr int kBlockGeneratorWords = kStreams * 4 * kMostReads;

/// The largest 2 beta / ln 2 of a read. Multiplied by the 2^23 of metropolis/acceptance.h, this is
/// still a float, and any field but 0 times this decides for certain.
inline constexpr float kLargestGraphSlope = 0x1p104f;

/// A coupling as one of its spins sees it.
struct Neighbour {
  std::int32_t spin;
  float twice;  ///< 2 J, in the unit of a spin: see GraphRows
};

/// Spins in the order of a sweep, and their couplings, rounded so that all sums are exact. Fields
/// of spin i are in a unit of its own, which its gain turns into that of the slopes.
struct GraphRows {
  std::int64_t num_spins;
  const std::int64_t* first;    ///< (num_spins + 1): where the neighbours of each spin begin
  const Neighbour* neighbours;  ///< of spin i, in the unit of i
  const Neighbour* targets;     ///< of spin i, in the units of its neighbours
  const float* own_fields;      ///< h_i
  const float* down_fields;     ///< k_i = sum_j J_ij s_j when all s_j are -1
  const float* gains;           ///< the slope of each spin is that of the read times this
  bool has_gains;               ///< whether any gain is not 1
  const float* tolerances;      ///< bounds of the rounding errors of fields
  const float* dense;         ///< 2 J, in units of the columns: rows of padded(num_spins), or null
  const std::uint16_t* runs;  ///< masks of the groups, see runs_begin
  const std::int64_t* runs_begin;  ///< (groups + 1): runs of a group, each without a coupling in it
};

/// Up to kMostReads reads, one bit each: bit r % 32 of words[2 i + r / 32] is set where spin i of
/// read r is +1.
struct ReadBlock {
  std::uint32_t* words;       ///< (2 num_spins,)
  std::uint32_t* generators;  ///< (kBlockGeneratorWords,)
  std::uint32_t* randoms;     ///< scratch, (kGroup * kMostReads,)
  int num_reads;
};

/// One read.
struct OneRead {
  std::uint32_t* signs;       ///< the sign bit of each spin, padded
  float* coupling_fields;     ///< k_i, padded
  std::uint32_t* generators;  ///< word w of generator l is at [kStreams w + l]
};

}  // namespace isingprop
