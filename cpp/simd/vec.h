/// Vectors at the width of the target's registers, and the few operations that the language has no
/// word for.
///
/// Everything else is plain + - * & ^ >> on GCC and Clang vector types. Each intrinsic has a
/// portable twin that gives the same bits; tests/cpp runs every table of kernels against the others
/// and against plain scalars.
#pragma once

#include <cstdint>

#include "simd/layout.h"

#if defined(__SSE2__)
#include <immintrin.h>
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

/// A block is so many vectors.
inline constexpr int kParts = kBlock / kWidth;

/// Four floats, on every target.
using Quad = float __attribute__((vector_size(16)));

#if defined(__clang__)
#define ISINGPROP_UNROLL_4 _Pragma("clang loop unroll_count(4)")
#else
#define ISINGPROP_UNROLL_4 _Pragma("GCC unroll 4")
#endif

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

ISINGPROP_INLINE VecU xor3(VecU a, VecU b, VecU c) {
#if defined(__AVX512F__)
  constexpr int kXor3 = 0x96;
  return reinterpret_cast<VecU>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(a),
                                                          reinterpret_cast<__m512i>(b),
                                                          reinterpret_cast<__m512i>(c), kXor3));
#else
  return a ^ b ^ c;
#endif
}

/// acc + sign * x where the result is exact, so that fusing the two operations does not change a
/// bit.
ISINGPROP_INLINE VecF add_exact(VecF acc, VecF sign, VecF x) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(sign, x, acc);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(sign, x, acc);
#else
  return acc + sign * x;
#endif
}

/// x * y + c, rounded once or twice as the target has it: only for what bounds its own errors.
ISINGPROP_INLINE VecF near_sum(VecF x, VecF y, VecF c) { return add_exact(c, x, y); }

/// +1 or -1 as the sign bit says, without a branch: which way a spin flips is a coin toss to the
/// processor.
ISINGPROP_INLINE VecF one_with_sign(std::uint32_t sign) {
  return reinterpret_cast<VecF>((sign - VecU{}) | 0x3f800000u);
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

/// The vector of a type, for kernels that are written once for both.
template <class Real>
struct Wide;
template <>
struct Wide<float> {
  using Vec = VecF;
  static constexpr int kLanes = kWidth;
};
template <>
struct Wide<double> {
  using Vec = VecD;
  static constexpr int kLanes = kDoubles;
};

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

template <class T>
ISINGPROP_INLINE void load_into(T* space, const T* from, std::int64_t there, int lanes) {
  for (int k = 0; k < lanes; ++k) space[k] = k < there ? from[k] : T{0};
}
/// The first `there` numbers at `from`, which may be none or more than fit, then zeros. Reads
/// nothing beyond them.
ISINGPROP_INLINE VecF load_first(const float* from, std::int64_t there) {
  if (there >= kWidth) return load<VecF>(from);
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(there > 0 ? _bzhi_u32(0xffffu, static_cast<unsigned>(there)) : 0,
                               from);
#else
  float space[kWidth];
  load_into(space, from, there, kWidth);
  return load<VecF>(space);
#endif
}
ISINGPROP_INLINE VecD load_first(const double* from, std::int64_t there) {
  if (there >= kDoubles) return load<VecD>(from);
  double space[kDoubles];
  load_into(space, from, there, kDoubles);
  return load<VecD>(space);
}
ISINGPROP_INLINE VecD load_first_doubles(const double* from, std::int64_t there) {
  return load_first(from, there);
}
ISINGPROP_INLINE VecD load_first_doubles(const float* from, std::int64_t there) {
  if (there >= kDoubles) return load_doubles(from);
#if defined(__AVX512F__)
  const __mmask8 lanes = there > 0 ? _bzhi_u32(0xffu, static_cast<unsigned>(there)) : 0;
  return _mm512_maskz_cvtps_pd(0xff, _mm256_maskz_loadu_ps(lanes, from));
#else
  float space[kDoubles];
  load_into(space, from, there, kDoubles);
  return load_doubles(space);
#endif
}

ISINGPROP_INLINE void store_floats(float* to, VecD x) {
#if defined(__AVX512F__)
  _mm256_storeu_ps(to, _mm512_maskz_cvtpd_ps(0xff, x));
#elif defined(__AVX2__)
  _mm_storeu_ps(to, _mm256_cvtpd_ps(x));
#else
  for (int k = 0; k < kDoubles; ++k) to[k] = static_cast<float>(x[k]);
#endif
}

using VecL = std::int64_t __attribute__((vector_size(8 * kDoubles)));

ISINGPROP_INLINE VecF absolute(VecF x) {
  return reinterpret_cast<VecF>(reinterpret_cast<VecU>(x) & 0x7fffffffu);
}
ISINGPROP_INLINE VecD absolute(VecD x) {
  return reinterpret_cast<VecD>(reinterpret_cast<VecL>(x) & INT64_MAX);
}

/// The sum over a block of lanes as a tree, the same on every target: lane l + 8, then + 4, + 2,
/// + 1.
ISINGPROP_INLINE float sum_of_block(const VecF* parts) {
#if defined(__AVX512F__)
  const __m512 all = parts[0];
  const __m256 eight =
      _mm512_maskz_extractf32x8_ps(0xff, all, 0) + _mm512_maskz_extractf32x8_ps(0xff, all, 1);
  const Quad four = _mm256_extractf128_ps(eight, 0) + _mm256_extractf128_ps(eight, 1);
#elif defined(__AVX2__)
  const __m256 eight = parts[0] + parts[1];
  const Quad four = _mm256_extractf128_ps(eight, 0) + _mm256_extractf128_ps(eight, 1);
#else
  const Quad four = (parts[0] + parts[2]) + (parts[1] + parts[3]);
#endif
  return (four[0] + four[2]) + (four[1] + four[3]);
}

/// The same of doubles, in the order of the lanes.
ISINGPROP_INLINE double sum_of_block(const VecD* parts) {
  double sum = 0.0;
  for (int lane = 0; lane < kBlock; ++lane) sum += parts[lane / kDoubles][lane % kDoubles];
  return sum;
}

/// The outcome of a comparison, a lane each: a mask register where the target has them, else all
/// ones or zeros.
#if defined(__AVX512F__)
using Lanes = __mmask16;
ISINGPROP_INLINE Lanes greater(VecF a, VecF b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
ISINGPROP_INLINE Lanes within(VecF x, VecF least, VecF most) {
  return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, least, _CMP_GE_OQ), x, most, _CMP_LE_OQ);
}
ISINGPROP_INLINE unsigned bits(Lanes lanes) { return lanes; }
ISINGPROP_INLINE unsigned sign_bits(VecU x) {
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(x));
}
ISINGPROP_INLINE Lanes at_least(VecU x, std::uint32_t least) {
  return _mm512_cmpge_epu32_mask(reinterpret_cast<__m512i>(x),
                                 _mm512_set1_epi32(static_cast<int>(least)));
}
ISINGPROP_INLINE VecF nan_where(Lanes lanes, VecF x) {
  return _mm512_mask_blend_ps(lanes, x, _mm512_castsi512_ps(_mm512_set1_epi32(-1)));
}
ISINGPROP_INLINE VecU flip_sign(VecU signs, Lanes lanes) {
  const __m512i old = reinterpret_cast<__m512i>(signs);
  return reinterpret_cast<VecU>(
      _mm512_mask_xor_epi32(old, lanes, old, _mm512_set1_epi32(INT32_MIN)));
}
#else
using Lanes = VecI;
ISINGPROP_INLINE Lanes greater(VecF a, VecF b) { return a > b; }
ISINGPROP_INLINE Lanes within(VecF x, VecF least, VecF most) { return (x >= least) & (x <= most); }
ISINGPROP_INLINE Lanes at_least(VecU x, std::uint32_t least) { return x >= least; }
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

/// Writes first + lane for each of the lanes, and whatever beyond them, up to kWidth numbers. Gives
/// how many they are.
ISINGPROP_INLINE int append_lanes(std::int32_t* to, Lanes lanes, std::int32_t first) {
#if defined(__AVX512F__)
  const __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i chosen =
      _mm512_maskz_compress_epi32(lanes, _mm512_add_epi32(numbers, _mm512_set1_epi32(first)));
  _mm512_storeu_si512(to, chosen);
  return __builtin_popcount(lanes);
#else
  int count = 0;
  for (unsigned left = bits(lanes); left != 0; left &= left - 1)
    to[count++] = first + __builtin_ctz(left);
  return count;
#endif
}

/// Calls tile<N>(first) over vectors [0, num_vectors) in tiles of at most Most, so that each tile
/// stays in registers.
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
