/// Zero-temperature descent of many reads, and the energies of reads as they stand.
#include "kernels/graph/graph_rows.h"
#include "kernels/graph/read_tiles.h"
#include "simd/load.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Flips the spins one after the other, where that lowers the energy: where s_i f_i > 0. Returns
/// one bit for each read in which a spin flipped; those beyond the last read may be set.
std::uint64_t lower_reads(const GraphRows& rows, const ReadBlock& block) {
  std::uint64_t moved = 0;
  for_each_tile(block, [&]<int V>(int first) __attribute__((always_inline)) {
    for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) {
      const TileFields<V> tile = fields_of<V>(rows, block, spin, first);
      std::uint64_t flips = 0;
      for (int v = 0; v < V; ++v) {
        const Lanes lowers = greater(VecF{}, tile.against(tile.fields[v], v));
        flips |= std::uint64_t{bits(lowers)} << (v * kWidth);
      }
      flip<V>(block, spin, first, flips);
      moved |= flips << first;
    }
  });
  return moved;
}

/// Finds for each spin the reads, one bit each, in which a flip may lower the energy, since s_i f_i
/// is more than minus the bound of its rounding error. Returns the union over all spins.
std::uint64_t open_reads(const GraphRows& rows, const ReadBlock& block, std::uint64_t* open) {
  std::uint64_t any = 0;
  for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) open[spin] = 0;
  for_each_tile(block, [&]<int V>(int first) __attribute__((always_inline)) {
    for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) {
      const TileFields<V> tile = fields_of<V>(rows, block, spin, first);
      const VecF tolerance = splat(rows.tolerances[spin]);
      for (int v = 0; v < V; ++v) {
        const Lanes lowers = greater(tolerance, tile.against(tile.fields[v], v));
        open[spin] |= std::uint64_t{bits(lowers)} << (first + v * kWidth);
      }
      any |= open[spin];
    }
  });
  return any;
}

/// Writes E = sum_i h_i s_i + sum_ij J_ij s_i s_j of each of kMostReads reads, as the rounded
/// couplings have it, in the unit of the slopes: sum_i gain_i s_i (h_i + f_i) / 2.
void read_energies(const GraphRows& rows, const ReadBlock& block, double* energies) {
  for_each_tile(block, [&]<int V>(int first) __attribute__((always_inline)) {
    VecD sums[2 * V] = {};
    for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) {
      const TileFields<V> tile = fields_of<V>(rows, block, spin, first);
      const double factor = -0.5 * static_cast<double>(rows.gains[spin]);
      for (int v = 0; v < V; ++v) {
        float couplings[kWidth], own[kWidth];
        store(couplings, tile.against(tile.fields[v], v));
        store(own, tile.against(splat(rows.own_fields[spin]), v));
        for (int half = 0; half < 2; ++half) {
          const int at = half * kDoubles;
          sums[2 * v + half] += factor * (load_doubles(couplings + at) + load_doubles(own + at));
        }
      }
    }
    for (int k = 0; k < 2 * V; ++k) store(energies + first + k * kDoubles, sums[k]);
  });
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
