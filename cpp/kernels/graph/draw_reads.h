/// Random numbers of many reads: spin p of a sweep uses generator p % kStreams of each read.
#pragma once

#include "kernels/graph/graph_rows.h"
#include "kernels/metropolis/xoshiro.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Draws the random numbers of a group of spins for the reads of a tile.
template <int V>
ISINGPROP_INLINE void draw(const ReadBlock& block, int first) {
  for (int stream = 0; stream < kStreams; ++stream) {
    std::uint32_t* state = block.generators + stream * 4 * kMostReads + first;
    for (int v = 0; v < V; ++v) {
      std::uint32_t* words = state + v * kWidth;
      Generator generator{load<VecU>(words), load<VecU>(words + kMostReads),
                          load<VecU>(words + 2 * kMostReads), load<VecU>(words + 3 * kMostReads)};
      for (int spin = stream; spin < kGroup; spin += kStreams) {
        store(block.randoms + spin * kMostReads + first + v * kWidth, generator.next());
      }
      store(words, generator.a);
      store(words + kMostReads, generator.b);
      store(words + 2 * kMostReads, generator.c);
      store(words + 3 * kMostReads, generator.d);
    }
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
