/// Words that hold one bit of each read, as lanes of vectors.
///
///     word 0b0101, x = (1, 1, 1, 1), sum = (0, 2, 4, 6)   ->   add_where: (1, 2, 5, 6)
#pragma once

#include "simd/lanes.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

#if defined(__AVX512F__)

/// A word as the kernels hold it, for use with any of its lanes.
using LaneWord = std::uint32_t;

ISINGPROP_INLINE LaneWord lane_word(std::uint32_t word) { return word; }

/// Adds x to the lanes of a sum whose bits, from bit `first` on, are set.
ISINGPROP_INLINE VecF add_where(VecF sum, LaneWord word, int first, VecF x) {
  return _mm512_mask_add_ps(sum, static_cast<__mmask16>(word >> first), sum, x);
}
/// Turns over the sign of the lanes whose bits, from bit `first` on, are set.
ISINGPROP_INLINE VecF negate_where(VecF x, LaneWord word, int first) {
  return reinterpret_cast<VecF>(
      flip_sign(reinterpret_cast<VecU>(x), static_cast<__mmask16>(word >> first)));
}

#else

using LaneWord = VecU;

ISINGPROP_INLINE LaneWord lane_word(std::uint32_t word) { return word - VecU{}; }

/// Returns a vector whose lane k has the bit first + k alone.
ISINGPROP_INLINE VecU lane_bits(int first) {
  VecU result;
  for (int k = 0; k < kWidth; ++k) result[k] = 1u << ((first + k) % 32);
  return result;
}

#if defined(__AVX2__)

/// Returns vectors whose sign bits are the bits of a word from `first` on.
ISINGPROP_INLINE VecU signs_of(LaneWord word, int first) {
  VecI places;
  for (int k = 0; k < kWidth; ++k) places[k] = 31 - first - k;
  return reinterpret_cast<VecU>(
      _mm256_sllv_epi32(reinterpret_cast<__m256i>(word), reinterpret_cast<__m256i>(places)));
}

ISINGPROP_INLINE VecF add_where(VecF sum, LaneWord word, int first, VecF x) {
  return sum + _mm256_blendv_ps(VecF{}, x, reinterpret_cast<__m256>(signs_of(word, first)));
}

#else

ISINGPROP_INLINE VecU signs_of(LaneWord word, int first) {
  const VecU bits = lane_bits(first);
  return reinterpret_cast<VecU>((word & bits) == bits);
}

ISINGPROP_INLINE VecF add_where(VecF sum, LaneWord word, int first, VecF x) {
  return sum + reinterpret_cast<VecF>(signs_of(word, first) & reinterpret_cast<VecU>(x));
}

#endif

ISINGPROP_INLINE VecF negate_where(VecF x, LaneWord word, int first) {
  return reinterpret_cast<VecF>(reinterpret_cast<VecU>(x) ^ (signs_of(word, first) & kSignBit));
}

#endif

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
