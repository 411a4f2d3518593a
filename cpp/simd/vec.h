/// Vectors as wide as the registers of the target, and the operations that plain C++ cannot
/// express.
///
/// All other operations are plain + - * & ^ >> on the vector types of GCC and Clang. Each intrinsic
/// has a portable twin that gives the same bits; tests/cpp compares the tables of kernels of all
/// targets with each other and with scalar code.
#pragma once

#include <cstdint>

#include "simd/layout.h"
#include "simd/target.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Floats in a vector register.
#if defined(__AVX512F__)
inline constexpr int kWidth = 16;
#elif defined(__AVX2__)
inline constexpr int kWidth = 8;
#else
inline constexpr int kWidth = 4;
#endif
/// Doubles in a vector register.
inline constexpr int kDoubles = kWidth / 2;

/// Vectors of floats in a block.
inline constexpr int kParts = kBlock / kWidth;

using VecF = float __attribute__((vector_size(4 * kWidth)));
using VecU = std::uint32_t __attribute__((vector_size(4 * kWidth)));
using VecI = std::int32_t __attribute__((vector_size(4 * kWidth)));
using VecD = double __attribute__((vector_size(8 * kDoubles)));
using VecL = std::int64_t __attribute__((vector_size(8 * kDoubles)));
/// Four floats, on every target.
using Quad = float __attribute__((vector_size(16)));

/// Names the vector of a floating-point type, for kernels that are written once for both types.
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

/// Returns x in every lane.
ISINGPROP_INLINE VecF splat(float x) { return x - VecF{}; }
ISINGPROP_INLINE VecD splat(double x) { return x - VecD{}; }

ISINGPROP_INLINE VecU xor3(VecU a, VecU b, VecU c) {
#if defined(__AVX512F__)
  constexpr int kXor3 = 0x96;  // truth table of a ^ b ^ c
  return reinterpret_cast<VecU>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(a),
                                                          reinterpret_cast<__m512i>(b),
                                                          reinterpret_cast<__m512i>(c), kXor3));
#else
  return a ^ b ^ c;
#endif
}

/// Returns acc + sign * x. The product with a sign is exact, so that fusing the multiplication and
/// the addition does not change a bit.
ISINGPROP_INLINE VecF add_exact(VecF acc, VecF sign, VecF x) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(sign, x, acc);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(sign, x, acc);
#else
  return acc + sign * x;
#endif
}

ISINGPROP_INLINE VecD add_exact(VecD acc, VecD sign, VecD x) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(sign, x, acc);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(sign, x, acc);
#else
  return acc + sign * x;
#endif
}

/// Returns x * y + c, rounded once or twice depending on the target. Only code that bounds its own
/// rounding errors may use it.
ISINGPROP_INLINE VecF approximate_fma(VecF x, VecF y, VecF c) { return add_exact(c, x, y); }

/// Returns +1 or -1 in every lane, as the sign bit says. Has no branch, because the direction in
/// which a spin flips is unpredictable.
ISINGPROP_INLINE VecF one_with_sign(std::uint32_t sign) {
  constexpr std::uint32_t kOne = 0x3f800000u;  // the bits of 1.0f
  return reinterpret_cast<VecF>((sign - VecU{}) | kOne);
}

ISINGPROP_INLINE VecF absolute(VecF x) {
  return reinterpret_cast<VecF>(reinterpret_cast<VecU>(x) & 0x7fffffffu);
}
ISINGPROP_INLINE VecD absolute(VecD x) {
  return reinterpret_cast<VecD>(reinterpret_cast<VecL>(x) & INT64_MAX);
}

/// Returns a where a < b, and b elsewhere.
ISINGPROP_INLINE VecF lesser(VecF a, VecF b) {
#if defined(__AVX512F__)
  return _mm512_maskz_min_ps(0xffff, a, b);
#elif defined(__AVX2__)
  return _mm256_min_ps(a, b);
#elif defined(__SSE2__)
  return _mm_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

/// Returns the square roots, correctly rounded.
ISINGPROP_INLINE VecF root(VecF x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xffff, x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#elif defined(__SSE2__)
  return _mm_sqrt_ps(x);
#else
  for (int k = 0; k < kWidth; ++k) x[k] = __builtin_sqrtf(x[k]);
  return x;
#endif
}

/// Returns the sum over a block of lanes, as a tree whose order is the same on every target: lane l
/// is added to lane l + 8, then to + 4, + 2 and + 1.
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

/// Returns the sum over a block of doubles, added in the order of the lanes.
ISINGPROP_INLINE double sum_of_block(const VecD* parts) {
  double sum = 0.0;
  for (int lane = 0; lane < kBlock; ++lane) sum += parts[lane / kDoubles][lane % kDoubles];
  return sum;
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
