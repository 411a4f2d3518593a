/// A sweep of many reads over the spins of any graph, one spin after the other.
///
/// For E = sum h_i s_i + sum J_ij s_i s_j, flipping spin i costs -2 s_i f_i with f_i = h_i + k_i
/// and k_i = sum_j J_ij s_j, and happens with the probability of metropolis/metropolis_rule.h. The
/// lanes of a vector are reads. Fields are not kept: k_i is summed anew from the bits of the
/// neighbours,
///
///     k_i = -sum_j J_ij + sum of 2 J_ij over the neighbours j that are +1,
///
/// since with 32 reads at once some read flips nearly every spin while it is hot. A spin takes 8
/// bytes for 64 reads, so that thousands of spins stay in the first-level cache.
///
///     J = (1, -2) to two neighbours that are (+, -) in read 0 and (-, -) in read 1:
///     k = (1 + 2 * 1, 1) = (3, 1)
///
/// Work per sweep and read: one random number and as many additions as neighbours for each spin.
/// The bits are the same on every target, and for any number of reads in a block.
#include "kernels/graph/draw_reads.h"
#include "kernels/graph/fine_acceptance.h"
#include "kernels/graph/graph_rows.h"
#include "kernels/graph/read_tiles.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Returns the slope of a spin in a read.
ISINGPROP_INLINE float slope_of(const GraphRows& rows, std::int64_t spin, float slope) {
  const float product = slope * rows.gains[spin];
  return product < kLargestGraphSlope ? product : kLargestGraphSlope;
}

/// Returns the flips of a tile after deciding the reads that only possibly flip by the exact rule.
/// `slopes` and `randoms` are those of the first read of the tile.
__attribute__((noinline, cold)) std::uint64_t decide_reads(std::uint64_t certain,
                                                           std::uint64_t possible,
                                                           const GraphRows& rows, std::int64_t spin,
                                                           const float* costs, const float* slopes,
                                                           const std::uint32_t* randoms) {
  for (std::uint64_t open = certain ^ possible; open != 0; open &= open - 1) {
    const int lane = __builtin_ctzll(open);
    const std::uint64_t mask = std::uint64_t{1} << lane;
    const double slope = static_cast<double>(slope_of(rows, spin, slopes[lane]));
    const double x = -slope * static_cast<double>(costs[lane]);
    certain = accepts(randoms[lane], x) ? certain | mask : certain & ~mask;
  }
  return certain;
}

/// Updates the spins of a group in the reads of a tile by Metropolis's rule.
template <int V, bool kHasGains>
ISINGPROP_INLINE void update_group(const GraphRows& rows, const ReadBlock& block,
                                   const float* slopes, std::int64_t group, int first) {
  const std::int64_t end = group + kGroup < rows.num_spins ? group + kGroup : rows.num_spins;
  VecF scaled[V];
  for (int v = 0; v < V; ++v) scaled[v] = -kUnit * load<VecF>(slopes + first + v * kWidth);
  draw<V>(block, first);

  for (std::int64_t spin = group; spin < end; ++spin) {
    const TileFields<V> fields = fields_of<V>(rows, block, spin, first);
    const std::uint32_t* randoms = block.randoms + spin % kGroup * kMostReads + first;
    VecF costs[V];
    std::uint64_t certain = 0, possible = 0;
    for (int v = 0; v < V; ++v) {
      VecF slope = scaled[v];
      if constexpr (kHasGains) {
        const VecF product = load<VecF>(slopes + first + v * kWidth) * rows.gains[spin];
        slope = -kUnit * lesser(product, splat(kLargestGraphSlope));
      }
      costs[v] = fields.against(fields.fields[v], v);
      const VecF threshold = fine_threshold(load<VecU>(randoms + v * kWidth));
      const FineTest test = test_finely(threshold, slope * costs[v]);
      certain |= std::uint64_t{bits(test.certain)} << (v * kWidth);
      possible |= std::uint64_t{bits(test.possible)} << (v * kWidth);
    }

    if (__builtin_expect(certain != possible, 0)) {
      float each[V * kWidth];
      for (int v = 0; v < V; ++v) store(each + v * kWidth, costs[v]);
      certain = decide_reads(certain, possible, rows, spin, each, slopes + first, randoms);
    }
    flip<V>(block, spin, first, certain);
  }
}

template <bool kHasGains>
void sweep_groups(const GraphRows& rows, const ReadBlock& block, const float* slopes) {
  for (std::int64_t group = 0; group < rows.num_spins; group += kGroup) {
    for_each_tile(block, [&]<int V>(int first) __attribute__((always_inline)) {
      update_group<V, kHasGains>(rows, block, slopes, group, first);
    });
  }
}

}  // namespace

/// Sets each spin to +1 or -1 with equal probability: the top bit of its first random number.
void start_reads(std::int64_t num_spins, const ReadBlock& block) {
  for (std::int64_t group = 0; group < num_spins; group += kGroup) {
    const std::int64_t end = group + kGroup < num_spins ? group + kGroup : num_spins;
    for_each_tile(block, [&]<int V>(int first) __attribute__((always_inline)) {
      draw<V>(block, first);
      for (std::int64_t spin = group; spin < end; ++spin) {
        const std::uint32_t* randoms = block.randoms + spin % kGroup * kMostReads + first;
        std::uint64_t down = 0;
        for (int v = 0; v < V; ++v) {
          down |= std::uint64_t{sign_bits(load<VecU>(randoms + v * kWidth))} << (v * kWidth);
        }
        set<V>(block, spin, first, ~down);
      }
    });
  }
}

/// Sweeps once over all spins, at slopes = 2 beta / ln 2 >= 0 of each of kMostReads reads.
void sweep_reads(const GraphRows& rows, const ReadBlock& block, const float* slopes) {
  if (rows.has_gains) {
    sweep_groups<true>(rows, block, slopes);
  } else {
    sweep_groups<false>(rows, block, slopes);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
