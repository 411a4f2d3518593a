/// Loads of the end of an array, and conversions between floats and doubles.
///
/// The functions named load_first read an array that may be shorter than a vector: the missing
/// lanes become 0, and nothing beyond the array is read. `available` may be 0, negative or large.
///
///     kWidth = 8, available = 3:   [x0 x1 x2 0 0 0 0 0]
#pragma once

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Returns kDoubles numbers as doubles.
ISINGPROP_INLINE VecD load_doubles(const double* from) { return load<VecD>(from); }
ISINGPROP_INLINE VecD load_doubles(const float* from) {
  // GCC 12 converts in six instructions where the processor has one, hence the intrinsics.
#if defined(__AVX512F__)
  return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from));
#elif defined(__AVX2__)
  return _mm256_cvtps_pd(_mm_loadu_ps(from));
#else
  return VecD{from[0], from[1]};
#endif
}

template <class T>
ISINGPROP_INLINE void copy_first(T* lanes, const T* from, std::int64_t available, int num_lanes) {
  for (int k = 0; k < num_lanes; ++k) lanes[k] = k < available ? from[k] : T{0};
}

ISINGPROP_INLINE VecF load_first(const float* from, std::int64_t available) {
  if (available >= kWidth) return load<VecF>(from);
#if defined(__AVX512F__)
  const __mmask16 lanes = available > 0 ? _bzhi_u32(0xffffu, static_cast<unsigned>(available)) : 0;
  return _mm512_maskz_loadu_ps(lanes, from);
#else
  float lanes[kWidth];
  copy_first(lanes, from, available, kWidth);
  return load<VecF>(lanes);
#endif
}

ISINGPROP_INLINE VecD load_first(const double* from, std::int64_t available) {
  if (available >= kDoubles) return load<VecD>(from);
  double lanes[kDoubles];
  copy_first(lanes, from, available, kDoubles);
  return load<VecD>(lanes);
}

/// Works like load_first, but returns doubles for floats, too.
ISINGPROP_INLINE VecD load_first_doubles(const double* from, std::int64_t available) {
  return load_first(from, available);
}
ISINGPROP_INLINE VecD load_first_doubles(const float* from, std::int64_t available) {
  if (available >= kDoubles) return load_doubles(from);
#if defined(__AVX512F__)
  const __mmask8 mask = available > 0 ? _bzhi_u32(0xffu, static_cast<unsigned>(available)) : 0;
  return _mm512_maskz_cvtps_pd(0xff, _mm256_maskz_loadu_ps(mask, from));
#else
  float lanes[kDoubles];
  copy_first(lanes, from, available, kDoubles);
  return load_doubles(lanes);
#endif
}

/// Stores the first `available` lanes of x, or all of them if `available` is larger.
ISINGPROP_INLINE void store_first(double* to, VecD x, std::int64_t available) {
  if (available >= kDoubles) return store(to, x);
  for (std::int64_t k = 0; k < available; ++k) to[k] = x[k];
}

/// Stores kDoubles doubles, rounded to floats.
ISINGPROP_INLINE void store_floats(float* to, VecD x) {
#if defined(__AVX512F__)
  _mm256_storeu_ps(to, _mm512_maskz_cvtpd_ps(0xff, x));
#elif defined(__AVX2__)
  _mm_storeu_ps(to, _mm256_cvtpd_ps(x));
#else
  for (int k = 0; k < kDoubles; ++k) to[k] = static_cast<float>(x[k]);
#endif
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
