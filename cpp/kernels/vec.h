/// Vectors at the width of the target's registers, and the few operations that the language has no word for.
///
/// Everything else is plain + - * & ^ >> on GCC and Clang vector types. Each intrinsic has a portable twin that gives
/// the same bits; tests/cpp runs every table of kernels against the others and against plain scalars.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace isingprop {
namespace ISINGPROP_TARGET {

#if defined(__AVX512F__)
inline constexpr int kWidth = 16;
#elif defined(__AVX2__)
inline constexpr int kWidth = 8;
#else
inline constexpr int kWidth = 4;
#endif

using VecF = float __attribute__((vector_size(4 * kWidth)));
using VecU = std::uint32_t __attribute__((vector_size(4 * kWidth)));
using VecI = std::int32_t __attribute__((vector_size(4 * kWidth)));

#define ISINGPROP_INLINE static inline __attribute__((always_inline))

template <class Vec, class T>
ISINGPROP_INLINE Vec load(const T* from) {
  Vec v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class Vec, class T>
ISINGPROP_INLINE void store(T* to, Vec v) {
  __builtin_memcpy(to, &v, sizeof v);
}

ISINGPROP_INLINE VecF splat(float x) { return x - VecF{}; }

/// acc + sign * x where the result is exact, so that fusing the two operations does not change a bit.
ISINGPROP_INLINE VecF add_exact(VecF acc, VecF sign, VecF x) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(sign, x, acc);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(sign, x, acc);
#else
  return acc + sign * x;
#endif
}

inline constexpr int kDoubles = kWidth / 2;
using VecD = double __attribute__((vector_size(8 * kDoubles)));

ISINGPROP_INLINE VecD splat(double x) { return x - VecD{}; }

ISINGPROP_INLINE VecD add_exact(VecD acc, VecD sign, VecD x) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(sign, x, acc);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(sign, x, acc);
#else
  return acc + sign * x;
#endif
}

/// kDoubles numbers as doubles. GCC 12 does this in six instructions where the processor has one.
ISINGPROP_INLINE VecD load_doubles(const double* from) { return load<VecD>(from); }
ISINGPROP_INLINE VecD load_doubles(const float* from) {
#if defined(__AVX512F__)
  return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from));
#elif defined(__AVX2__)
  return _mm256_cvtps_pd(_mm_loadu_ps(from));
#else
  return VecD{from[0], from[1]};
#endif
}

ISINGPROP_INLINE VecF lesser(VecF a, VecF b) {
#if defined(__AVX512F__)
  return _mm512_maskz_min_ps(0xffff, a, b);  // GCC 12 warns of the header behind _mm512_min_ps
#elif defined(__AVX2__)
  return _mm256_min_ps(a, b);
#elif defined(__SSE2__)
  return _mm_min_ps(a, b);
#elif defined(__aarch64__)
  return vminnmq_f32(a, b);  // b where a is NaN, as on x86; vminq_f32 would give NaN
#else
  return a < b ? a : b;
#endif
}

/// The outcome of a comparison, a lane each: a mask register where the target has them, else all ones or zeros.
#if defined(__AVX512F__)
using Lanes = __mmask16;
ISINGPROP_INLINE Lanes greater(VecF a, VecF b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
ISINGPROP_INLINE unsigned bits(Lanes lanes) { return lanes; }
ISINGPROP_INLINE VecU flip_sign(VecU signs, Lanes lanes) {
  const __m512i old = reinterpret_cast<__m512i>(signs);
  return reinterpret_cast<VecU>(_mm512_mask_xor_epi32(old, lanes, old, _mm512_set1_epi32(INT32_MIN)));
}
#else
using Lanes = VecI;
ISINGPROP_INLINE Lanes greater(VecF a, VecF b) { return a > b; }
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
ISINGPROP_INLINE VecU flip_sign(VecU signs, Lanes lanes) {
  return signs ^ (reinterpret_cast<VecU>(lanes) & 0x80000000u);
}
#endif

/// Calls tile<N>(first) over vectors [0, num_vectors) in tiles of at most Most, so that each tile stays in registers.
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

template <int Most = 8, class Tile>
ISINGPROP_INLINE void for_tiles(std::int64_t num_vectors, const Tile& tile) {
  std::int64_t first = 0;
  for (; num_vectors - first >= Most; first += Most) tile.template operator()<Most>(first);
  last_tile<Most - 1>(first, num_vectors - first, tile);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
