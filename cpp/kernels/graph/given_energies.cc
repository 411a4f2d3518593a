/// Energies of many reads in double precision, from the couplings that the user gave.
///
/// E = sum_i h_i s_i + sum_ij J_ij s_i s_j, one term after the other, so that sums of whole numbers
/// are exact. The lanes of a vector are reads.
#include "kernels/graph/given_couplings.h"
#include "kernels/graph/graph_rows.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Vectors of reads that are summed together.
constexpr int kSums = 8;
constexpr int kReadsOfSums = kSums * kDoubles < kReadsPerWord ? kSums * kDoubles : kReadsPerWord;

/// Adds x to the sums of the reads whose bits are not set, and -x to the others.
ISINGPROP_INLINE void add_signed(VecD* sums, double x, std::uint32_t negative) {
  const VecL word = std::int64_t{negative} - VecL{};
  const VecL bits = reinterpret_cast<VecL>(splat(x));
  for (int v = 0; v < kReadsOfSums / kDoubles; ++v) {
    VecL shifts;  // that take the bits of the lanes to the sign bit
    for (int k = 0; k < kDoubles; ++k) shifts[k] = 63 - v * kDoubles - k;
    sums[v] += reinterpret_cast<VecD>(bits ^ ((word << shifts) & INT64_MIN));
  }
}

}  // namespace

/// Writes the energies of kMostReads reads, of which those beyond the last are unspecified.
void given_energies(const GivenCouplings& given, const ReadBlock& block, double* energies) {
  for (int first = 0; first < block.num_reads; first += kReadsOfSums) {
    const std::uint32_t* words = block.words + first / kReadsPerWord;
    const int shift = first % kReadsPerWord;
    VecD sums[kReadsOfSums / kDoubles] = {};
    for (std::int64_t place = 0; place < given.num_spins; ++place) {
      add_signed(sums, given.fields[place], ~words[2 * place] >> shift);
    }
    for (std::int64_t k = 0; k < given.num_couplings; ++k) {
      const std::int64_t u = given.places[2 * k], v = given.places[2 * k + 1];
      add_signed(sums, given.couplings[k], (words[2 * u] ^ words[2 * v]) >> shift);
    }
    for (int v = 0; v < kReadsOfSums / kDoubles; ++v) {
      store(energies + first + v * kDoubles, sums[v]);
    }
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
