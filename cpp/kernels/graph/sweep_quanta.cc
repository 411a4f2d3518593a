/// A sweep of many reads where all fields are small multiples of one quantum, as for J = +1 and -1.
///
/// The states are those of sweep_reads.cc. The fields are bytes, so that a vector holds four times
/// as many reads, and the largest random number v = r >> 1 at which a spin flips is looked up by
/// its field in a table of the sweep: a spin flips if v < threshold.
///
///     J = +1, three neighbours, f = -1, s = +1:  a flip lowers E, so threshold[0] = kMove 2^31
///     s = -1:  a flip costs 2, m = 1, parity 1:  threshold at place 1 + (1 - 1) / 2
#include "kernels/graph/byte_lanes.h"
#include "kernels/graph/draw_reads.h"
#include "kernels/graph/quanta_rows.h"
#include "kernels/graph/read_tiles.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr std::int64_t kTableBytes = kThresholdBytes * kTableEntries;

/// Computes the places of the thresholds of one spin in N vectors of reads, in the order of
/// unpacking.
template <int N>
ISINGPROP_INLINE void places_of(const QuantaRows& rows, const std::uint32_t* words,
                                std::int64_t spin, int first, VecB* places) {
  VecB half[N];  // f / quantum = 2 half + parity
  for (int n = 0; n < N; ++n) half[n] = splat_byte(rows.base[spin]);
  for (std::int64_t k = rows.first[spin]; k < rows.first[spin + 1]; ++k) {
    const QuantaNeighbour& neighbour = rows.neighbours[k];
    const std::uint32_t* of_neighbour = words + 2 * std::int64_t{neighbour.spin};
    const VecB coupling = reinterpret_cast<VecB>(neighbour.coupling - VecI{});
    for (int n = 0; n < N; ++n) {
      half[n] = add_where(half[n], of_neighbour, first + n * kBytes, coupling);
    }
  }

  // (m - parity) / 2 of m = f if s = -1, and of m = -f if s = +1.
  const VecB is_even = splat_byte(rows.parity[spin] - 1);
  for (int n = 0; n < N; ++n) {
    const VecB up = bytes_of(words + 2 * spin, first + n * kBytes);
    const VecB place = (half[n] ^ up) - (up & is_even) + splat_byte(1);
    places[n] = to_unpack(place & (place > VecB{}));
  }
}

/// Returns places relative to a table, negative where they are in another one.
ISINGPROP_INLINE VecB places_in(VecB places, int table) {
  // What exceeds 15 exceeds 127 after the addition of 112.
  constexpr int kNegative = 0x80 - kTableEntries;
  return add_saturated(places ^ splat_byte(table * kTableEntries), splat_byte(kNegative));
}

/// Returns the reads, one bit each, of a vector in which a spin flips.
ISINGPROP_INLINE std::uint64_t flips_at(const std::uint8_t* table, int num_tables, VecB places,
                                        const std::uint32_t* randoms) {
  VecB bytes[kThresholdBytes] = {};
  for (int number = 0; number < num_tables; ++number, table += kTableBytes) {
    const VecB inside = places_in(places, number);
    for (int byte = 0; byte < kThresholdBytes; ++byte) {
      bytes[byte] |= look_up(table + byte * kTableEntries, inside);
    }
  }

  VecI thresholds[4];
  join_bytes(bytes, thresholds);
  std::uint64_t flips = 0;
  for (int v = 0; v < 4; ++v) {
    const VecI random = reinterpret_cast<VecI>(load<VecU>(randoms + v * kWidth) >> 1);
    flips |= std::uint64_t{bits(greater(thresholds[v], random))} << (v * kWidth);
  }
  return flips;
}

/// Updates the spins of a group in N vectors of reads.
template <int N>
ISINGPROP_INLINE void update_group(const QuantaRows& rows, const ReadBlock& block,
                                   const std::uint8_t* tables, std::int64_t group, int first) {
  const std::int64_t end = group + kGroup < rows.num_spins ? group + kGroup : rows.num_spins;
  for (int n = 0; n < N; ++n) draw<4>(block, first + n * kBytes);

  for (std::int64_t spin = group; spin < end; ++spin) {
    VecB places[N];
    places_of<N>(rows, block.words, spin, first, places);
    const std::uint8_t* table = tables + rows.parity[spin] * rows.num_tables * kTableBytes;
    const std::uint32_t* randoms = block.randoms + spin % kGroup * kMostReads + first;
    for (int n = 0; n < N; ++n) {
      const std::uint64_t flips = flips_at(table, rows.num_tables, places[n], randoms + n * kBytes);
      flip<4>(block, spin, first + n * kBytes, flips);
    }
  }
}

template <int N>
void sweep_groups(const QuantaRows& rows, const ReadBlock& block, const std::uint8_t* tables) {
  for (std::int64_t group = 0; group < rows.num_spins; group += kGroup) {
    for (int first = 0; first < block.num_reads; first += N * kBytes) {
      update_group<N>(rows, block, tables, group, first);
    }
  }
}

}  // namespace

/// Sweeps once over all spins, at the slope for which the tables were made.
void sweep_quanta(const QuantaRows& rows, const ReadBlock& block, const std::uint8_t* tables) {
  if (kBytes < kMostReads && block.num_reads > kBytes) {
    sweep_groups<2>(rows, block, tables);
  } else {
    sweep_groups<1>(rows, block, tables);
  }
}

/// Returns from how many reads on sweep_quanta() is faster than sweep_reads(): it needs an
/// instruction that looks up bytes.
int least_quanta_reads() {
#if defined(__AVX2__)
  return kBytes / 2;
#else
  return kMostReads + 1;
#endif
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
