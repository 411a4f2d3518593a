/// Energies of many reads in double precision, from the couplings that the user gave.
///
/// E = sum_i s_i (h_i + sum_j J_ij s_j) over the neighbours j < i of each spin, one term after the
/// other, so that whole numbers are exact. The lanes of a vector are reads.
#include "kernels/graph/given_rows.h"
#include "kernels/graph/graph_rows.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Vectors of reads that are summed together.
constexpr int kSums = 4;
constexpr int kLanesOfSums = kSums * kDoubles;

/// Returns x in the reads in which a spin is +1, and -x in the others.
ISINGPROP_INLINE VecD with_signs(VecD x, VecL word, int first) {
  VecL place;
  for (int k = 0; k < kDoubles; ++k) place[k] = std::int64_t{1} << (first + k);
  const VecL down = (word & place) == 0;
  return reinterpret_cast<VecD>(reinterpret_cast<VecL>(x) ^ (down & INT64_MIN));
}

ISINGPROP_INLINE VecL word_of(const ReadBlock& block, std::int64_t spin, int first) {
  const std::uint32_t word = block.words[2 * spin + first / kReadsPerWord];
  return std::int64_t{word >> (first % kReadsPerWord)} - VecL{};
}

}  // namespace

/// Writes the energies of kMostReads reads, of which those beyond the last are unspecified.
void given_energies(const GivenRows& rows, const ReadBlock& block, double* energies) {
  for (int first = 0; first < block.num_reads; first += kLanesOfSums) {
    VecD sums[kSums] = {};
    for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) {
      VecD fields[kSums];
      for (int v = 0; v < kSums; ++v) fields[v] = splat(rows.fields[spin]);
      for (std::int64_t k = rows.first[spin]; k < rows.later[spin]; ++k) {
        const VecL word = word_of(block, rows.neighbours[k].spin, first);
        const VecD coupling = splat(rows.couplings[k]);
        for (int v = 0; v < kSums; ++v) fields[v] += with_signs(coupling, word, v * kDoubles);
      }
      const VecL word = word_of(block, spin, first);
      for (int v = 0; v < kSums; ++v) sums[v] += with_signs(fields[v], word, v * kDoubles);
    }
    for (int v = 0; v < kSums; ++v) store(energies + first + v * kDoubles, sums[v]);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
