/// A loop over vectors in tiles whose size is known at compile time.
///
/// A tile of N vectors keeps N running sums in registers while it goes over all rows of a matrix,
/// which needs N as a constant. for_tiles<8>(21, tile) calls
///
///     tile<8>(0)   tile<8>(8)   tile<5>(16)
#pragma once

#include <cstdint>

#include "simd/target.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Calls tile<left>(first) for 0 <= left <= N, where `left` is known at run time only.
template <int N, class Tile>
ISINGPROP_INLINE void last_tile(std::int64_t first, std::int64_t left, const Tile& tile) {
  if constexpr (N > 0) {
    if (left == N) {
      tile.template operator()<N>(first);
    } else {
      last_tile<N - 1>(first, left, tile);
    }
  }
}

/// Calls tile<N>(first) over vectors [0, num_vectors), with N = Max but for the last call.
template <int Max = 8, class Tile>
ISINGPROP_INLINE void for_tiles(std::int64_t num_vectors, const Tile& tile) {
  std::int64_t first = 0;
  for (; num_vectors - first >= Max; first += Max) tile.template operator()<Max>(first);
  last_tile<Max - 1>(first, num_vectors - first, tile);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
