/// Comparisons of vectors, whose outcome is one bit per lane.
///
/// `Lanes` is a mask register with AVX-512; elsewhere it is a vector whose lanes are all ones where
/// the comparison holds and zeros where it does not. bits() turns both into the same number:
///
///     greater([5 1 7 2], [3 3 3 3])  ->  lanes 0 and 2  ->  bits 0b0101
#pragma once

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

#if defined(__AVX512F__)

using Lanes = __mmask16;

ISINGPROP_INLINE Lanes greater(VecF a, VecF b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
ISINGPROP_INLINE Lanes greater(VecI a, VecI b) {
  return _mm512_cmpgt_epi32_mask(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b));
}
ISINGPROP_INLINE Lanes within(VecF x, VecF min, VecF max) {
  return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, min, _CMP_GE_OQ), x, max, _CMP_LE_OQ);
}
ISINGPROP_INLINE unsigned bits(Lanes lanes) { return lanes; }
ISINGPROP_INLINE unsigned sign_bits(VecU x) {
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(x));
}
ISINGPROP_INLINE Lanes at_least(VecU x, std::uint32_t min) {
  return _mm512_cmpge_epu32_mask(reinterpret_cast<__m512i>(x),
                                 _mm512_set1_epi32(static_cast<int>(min)));
}
ISINGPROP_INLINE VecF nan_where(Lanes lanes, VecF x) {
  return _mm512_mask_blend_ps(lanes, x, _mm512_castsi512_ps(_mm512_set1_epi32(-1)));
}
ISINGPROP_INLINE VecU flip_sign(VecU signs, Lanes lanes) {
  const __m512i old = reinterpret_cast<__m512i>(signs);
  const __m512i sign_bit = _mm512_set1_epi32(INT32_MIN);
  return reinterpret_cast<VecU>(_mm512_mask_xor_epi32(old, lanes, old, sign_bit));
}

#else

using Lanes = VecI;

ISINGPROP_INLINE Lanes greater(VecF a, VecF b) { return a > b; }
ISINGPROP_INLINE Lanes greater(VecI a, VecI b) { return a > b; }
ISINGPROP_INLINE Lanes within(VecF x, VecF min, VecF max) { return (x >= min) & (x <= max); }
ISINGPROP_INLINE Lanes at_least(VecU x, std::uint32_t min) { return x >= min; }
ISINGPROP_INLINE VecF nan_where(Lanes lanes, VecF x) {
  return reinterpret_cast<VecF>(reinterpret_cast<VecI>(x) | lanes);
}
ISINGPROP_INLINE unsigned bits(Lanes lanes) {
#if defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(lanes)));
#elif defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_ps(reinterpret_cast<__m128>(lanes)));
#else
  const VecI weighted = lanes & VecI{1, 2, 4, 8};
  return static_cast<unsigned>(weighted[0] + weighted[1] + weighted[2] + weighted[3]);
#endif
}
ISINGPROP_INLINE unsigned sign_bits(VecU x) { return bits(reinterpret_cast<VecI>(x) >> 31); }
ISINGPROP_INLINE VecU flip_sign(VecU signs, Lanes lanes) {
  return signs ^ (reinterpret_cast<VecU>(lanes) & kSignBit);
}

#endif

ISINGPROP_INLINE bool all(Lanes lanes) { return bits(lanes) == (1u << kWidth) - 1; }

/// Writes first + lane for each lane that is set, and returns how many there are. Overwrites kWidth
/// numbers at `to`, of which those beyond the returned count are unspecified.
///
///     lanes 0b1010, first = 8   ->   to = [9, 11, ...], returns 2
ISINGPROP_INLINE int append_lanes(std::int32_t* to, Lanes lanes, std::int32_t first) {
#if defined(__AVX512F__)
  const __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i shifted = _mm512_add_epi32(numbers, _mm512_set1_epi32(first));
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(lanes, shifted));
  return __builtin_popcount(lanes);
#else
  int count = 0;
  for (unsigned left = bits(lanes); left != 0; left &= left - 1) {
    to[count++] = first + __builtin_ctz(left);
  }
  return count;
#endif
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
