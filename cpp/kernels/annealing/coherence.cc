/// How coherent the signs of a matrix of couplings are; see chains/coupling_graph.h.
///
/// For rows a and b over n spins, let g be the sum of sign(J_ai) sign(J_bi). The loops of two rows
/// and two different columns have the mean sign (g^2 - n) / (n (n - 1)):
///
///     rows (+ + + -) and (+ + - +):  g = 1 + 1 - 1 - 1 = 0, and of 12 loops 4 more are negative
///
/// The signs of a row are bits, so that g takes a few instructions.
#include "simd/lanes.h"
#include "simd/layout.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr int kBits = 64;

}  // namespace

/// Returns the mean of (g^2 - n) / (n (n - 1)) over pairs of rows (a, a + shift mod num_rows), for
/// num_shifts shifts in 1 ... num_rows - 1. Each row has row_length = n >= 2 numbers and zeros up
/// to whole blocks. `sign_words` has room for (n + 63) / 64 words for each row.
double sign_coherence(const float* rows, std::int64_t num_rows, std::int64_t row_length,
                      const std::int64_t* shifts, int num_shifts, std::uint64_t* sign_words) {
  const std::int64_t stride = padded(row_length), words = (row_length + kBits - 1) / kBits;
  for (std::int64_t a = 0; a < num_rows; ++a) {
    for (std::int64_t word = 0; word < words; ++word) {
      std::uint64_t signs = 0;
      for (int k = 0; k < kBits && word * kBits + k < stride; k += kWidth) {
        const VecU numbers = load<VecU>(rows + a * stride + word * kBits + k);
        signs |= std::uint64_t{sign_bits(numbers)} << k;
      }
      sign_words[a * words + word] = signs;
    }
  }

  const auto length = static_cast<double>(row_length);
  double sum = 0.0;
  for (int s = 0; s < num_shifts; ++s) {
    for (std::int64_t a = 0; a < num_rows; ++a) {
      const std::int64_t b = (a + shifts[s]) % num_rows;
      std::int64_t unlike = 0;
      for (std::int64_t word = 0; word < words; ++word) {
        unlike += __builtin_popcountll(sign_words[a * words + word] ^ sign_words[b * words + word]);
      }
      const double g = length - 2.0 * static_cast<double>(unlike);
      sum += g * g - length;
    }
  }
  const double pairs = static_cast<double>(num_rows) * num_shifts;
  return sum / (pairs * length * (length - 1.0));
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
