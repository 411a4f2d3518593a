/// Tiles of reads: vectors of reads that are updated together, and their fields.
#pragma once

#include "kernels/graph/graph_rows.h"
#include "kernels/graph/lane_words.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Vectors of reads that are updated together.
template <int V>
struct Tile {
  static constexpr int kLanes = V * kWidth;
  static constexpr int kWords = kLanes > kReadsPerWord ? kLanes / kReadsPerWord : 1;

  /// Returns the words of a spin, shifted so that bit 0 is the first read of the tile.
  static inline __attribute__((always_inline)) void load_words(const std::uint32_t* words,
                                                               std::int64_t spin, int first,
                                                               LaneWord* to) {
    const std::uint32_t* from = words + 2 * spin + first / kReadsPerWord;
    for (int w = 0; w < kWords; ++w) {
      to[w] = lane_word(from[w]);
      if (kLanes < kReadsPerWord) to[w] = to[w] >> (first % kReadsPerWord);
    }
  }
};

/// The fields of one spin in the reads of a tile.
template <int V>
struct TileFields {
  VecF fields[V];                ///< h + k
  LaneWord up[Tile<V>::kWords];  ///< the reads in which the spin is +1

  /// Returns -s x of each read, for one x of the spin: with x = f, half of what a flip costs.
  inline __attribute__((always_inline)) VecF against(VecF x, int v) const {
    const int first = v * kWidth;
    return negate_where(x, up[first / kReadsPerWord], first % kReadsPerWord);
  }
};

template <int V>
ISINGPROP_INLINE TileFields<V> fields_of(const GraphRows& rows, const ReadBlock& block,
                                         std::int64_t spin, int first) {
  TileFields<V> result;
  for (int v = 0; v < V; ++v) result.fields[v] = splat(rows.down_fields[spin]);
  for (std::int64_t k = rows.first[spin]; k < rows.first[spin + 1]; ++k) {
    LaneWord words[Tile<V>::kWords];
    Tile<V>::load_words(block.words, rows.neighbours[k].spin, first, words);
    const VecF twice = splat(rows.neighbours[k].twice);
    for (int v = 0; v < V; ++v) {
      const int lane = v * kWidth;
      result.fields[v] =
          add_where(result.fields[v], words[lane / kReadsPerWord], lane % kReadsPerWord, twice);
    }
  }
  for (int v = 0; v < V; ++v) result.fields[v] = rows.own_fields[spin] + result.fields[v];
  Tile<V>::load_words(block.words, spin, first, result.up);
  return result;
}

/// Turns over the spins of the reads of a tile whose bits are set.
template <int V>
ISINGPROP_INLINE void flip(const ReadBlock& block, std::int64_t spin, int first,
                           std::uint64_t flips) {
  std::uint32_t* words = block.words + 2 * spin + first / kReadsPerWord;
  words[0] ^= static_cast<std::uint32_t>(flips) << (first % kReadsPerWord);
  if (Tile<V>::kWords > 1) words[1] ^= static_cast<std::uint32_t>(flips >> kReadsPerWord);
}

/// Sets the spins of the reads of a tile to +1 where bits of `up` are set, and to -1 elsewhere.
template <int V>
ISINGPROP_INLINE void set(const ReadBlock& block, std::int64_t spin, int first, std::uint64_t up) {
  std::uint32_t* words = block.words + 2 * spin + first / kReadsPerWord;
  constexpr int kLanes = Tile<V>::kLanes;
  constexpr std::uint32_t kMask = kLanes < kReadsPerWord ? (1u << kLanes % 32) - 1 : ~0u;
  const int shift = first % kReadsPerWord;
  words[0] = (words[0] & ~(kMask << shift)) | (static_cast<std::uint32_t>(up) & kMask) << shift;
  if (Tile<V>::kWords > 1) words[1] = static_cast<std::uint32_t>(up >> kReadsPerWord);
}

/// Vectors of a tile where there are many reads, whose accumulators the registers still hold.
inline constexpr int kMostVectors = kWidth == 8 ? 8 : 4;

/// Calls tile.operator()<V>(first) for tiles of V vectors that cover all reads of a block.
template <class Do>
ISINGPROP_INLINE void for_each_tile(const ReadBlock& block, const Do& tile) {
  const auto all = [&]<int V>() __attribute__((always_inline)) {
    for (int first = 0; first < block.num_reads; first += Tile<V>::kLanes) {
      tile.template operator()<V>(first);
    }
  };
  if (block.num_reads <= kWidth) return all.template operator()<1>();
  if (block.num_reads <= 2 * kWidth) return all.template operator()<2>();
  if (block.num_reads <= 4 * kWidth) return all.template operator()<4>();
  all.template operator()<kMostVectors>();
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
