/// Sines and cosines of vectors of angles, the same bits on every target.
///
/// Angles are given in quarters of a turn, units of pi / 2. An angle is split into the nearest
/// whole number of quarters and a rest in [-1/2, 1/2], for which polynomials are accurate:
///
///     2.3 quarters = 2 + 0.3:   cos = -cos(0.3 quarters) = -0.891,   sin = -sin(0.3 quarters) =
///     -0.454
///
///     whole % 4    0       1       2       3
///     cosine       c      -s      -c       s          c, s: cosine and sine of the rest
///     sine         s       c      -s      -c
#pragma once

#include <type_traits>

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Lanes of a vector, under a name for code that is written once for both types.
template <class Real>
using Vec = typename Wide<Real>::Vec;
template <class Real>
inline constexpr int kLanes = Wide<Real>::kLanes;

/// A vector of angles: the whole quarters in the low bits, and the rest, in quarters for double and
/// in radians for float. Both are computed in double precision.
template <class Real>
struct Angles;
template <>
struct Angles<double> {
  VecL whole;
  VecD rest;
};
template <>
struct Angles<float> {
  VecI whole;
  VecF rest;
};

inline constexpr double kQuarter = 1.57079632679489661923;  // pi / 2

/// Returns two vectors of doubles as floats, one after the other.
ISINGPROP_INLINE VecF floats_of(VecD first, VecD second) {
#if defined(__AVX512F__)
  const __m512 low = _mm512_castps256_ps512(_mm512_maskz_cvtpd_ps(0xff, first));
  return _mm512_maskz_insertf32x8(0xffff, low, _mm512_maskz_cvtpd_ps(0xff, second), 1);
#elif defined(__AVX2__)
  return _mm256_set_m128(_mm256_cvtpd_ps(second), _mm256_cvtpd_ps(first));
#elif defined(__SSE2__)
  return _mm_movelh_ps(_mm_cvtpd_ps(first), _mm_cvtpd_ps(second));
#else
  return VecF{static_cast<float>(first[0]), static_cast<float>(first[1]),
              static_cast<float>(second[0]), static_cast<float>(second[1])};
#endif
}

/// Returns the low halves of the 64-bit numbers of two vectors, one after the other.
ISINGPROP_INLINE VecI low_halves(VecL first, VecL second) {
#if defined(__AVX512F__)
  const __m512i low =
      _mm512_castsi256_si512(_mm512_maskz_cvtepi64_epi32(0xff, reinterpret_cast<__m512i>(first)));
  const __m256i high = _mm512_maskz_cvtepi64_epi32(0xff, reinterpret_cast<__m512i>(second));
  return reinterpret_cast<VecI>(_mm512_maskz_inserti32x8(0xffff, low, high, 1));
#else
  VecI v;
  for (int l = 0; l < kWidth; ++l) {
    v[l] = static_cast<std::int32_t>(l < kDoubles ? first[l] : second[l - kDoubles]);
  }
  return v;
#endif
}

ISINGPROP_INLINE Angles<double> reduced(VecD quarters) {
  constexpr double kToWhole = 0x1.8p52;  // added and subtracted, it leaves the nearest whole number
  const VecD shifted = quarters + kToWhole;
  return {.whole = reinterpret_cast<VecL>(shifted), .rest = quarters - (shifted - kToWhole)};
}

/// Returns the angles energy * quarters of a vector of energies; the last argument chooses the
/// type.
ISINGPROP_INLINE Angles<double> angles_at(const double* energies, double quarters, double) {
  return reduced(load<VecD>(energies) * quarters);
}
ISINGPROP_INLINE Angles<float> angles_at(const double* energies, double quarters, float) {
  const Angles<double> first = angles_at(energies, quarters, double{});
  const Angles<double> second = angles_at(energies + kDoubles, quarters, double{});
  return {.whole = low_halves(first.whole, second.whole),
          .rest = floats_of(first.rest * kQuarter, second.rest * kQuarter)};
}

/// Polynomials in r^2 of sin(r) / r and of cos(r) for the rest r, highest power first.
///
/// They are minimax polynomials on |angle| <= pi / 4, correct to 5e-17 of the value for double and
/// to 3e-9 for float. Those for float are from the Cephes library, in which the coefficient 1 is
/// exact: a rounded pi / 2 in its place would stretch all amplitudes by 1e-8 in each step.
template <class Real>
struct Series;
template <>
struct Series<double> {
  static constexpr double kSine[] = {5.6337208451419695e-08, -3.598641753250396e-06,
                                     0.00016044115029130435, -0.0046817541322823645,
                                     0.07969262624603955,    -0.6459640975062443,
                                     1.5707963267948966};
  static constexpr double kCosine[] = {
      -6.284340408314026e-09, 4.710296898919859e-07, -2.5202026416130754e-05, 0.0009192602724988539,
      -0.020863480763173,     0.25366950790104154,   -1.2337005501361697,     1.0};
};
template <>
struct Series<float> {
  static constexpr float kSine[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f, 1.0f};
  static constexpr float kCosine[] = {2.443315711809948e-5f, -1.388731625493765e-3f,
                                      4.166664568298827e-2f, -0.5f, 1.0f};
};

/// Evaluates a polynomial for N vectors side by side, so that none has to wait for its last step.
template <class Real, int N, int Terms>
ISINGPROP_INLINE void polynomial(const Real (&series)[Terms], const Vec<Real> (&x)[N],
                                 Vec<Real> (&sums)[N]) {
  for (int n = 0; n < N; ++n) sums[n] = splat(series[0]);
  for (int term = 1; term < Terms; ++term) {
    for (int n = 0; n < N; ++n) sums[n] = sums[n] * x[n] + series[term];
  }
}

template <class Real>
using Bits = decltype(Angles<Real>::whole);
template <class Real>
using Integer = std::conditional_t<sizeof(Real) == sizeof(double), std::int64_t, std::int32_t>;

template <class Real>
inline constexpr int kSignShift = 8 * sizeof(Real) - 1;

/// Returns v, or -v in the lanes where the sign bit of `signs` is set.
template <class Real>
ISINGPROP_INLINE Vec<Real> with_sign_of(Vec<Real> v, Bits<Real> signs) {
  return reinterpret_cast<Vec<Real>>(reinterpret_cast<Bits<Real>>(v) ^
                                     (signs & (Integer<Real>{-1} << kSignShift<Real>)));
}

template <class Real, int N>
ISINGPROP_INLINE void cos_sin(const Angles<Real> (&angles)[N], Vec<Real> (&cosine)[N],
                              Vec<Real> (&sine)[N]) {
  Vec<Real> square[N];
  for (int n = 0; n < N; ++n) square[n] = angles[n].rest * angles[n].rest;
  polynomial<Real>(Series<Real>::kSine, square, sine);
  polynomial<Real>(Series<Real>::kCosine, square, cosine);

  // Bit 1 of `whole` is shifted to the sign bit: quarters 2 and 3 negate the sine. The cosine is
  // negated where bits 0 and 1 differ: in quarters 1 and 2.
  constexpr int kToSign = kSignShift<Real> - 1;
  for (int n = 0; n < N; ++n) {
    const Bits<Real> odd = angles[n].whole & 1, quadrant = angles[n].whole << kToSign;
    const Vec<Real> c = cosine[n], s = sine[n] * angles[n].rest;
    cosine[n] = with_sign_of<Real>(odd != 0 ? s : c, quadrant ^ (quadrant << 1));
    sine[n] = with_sign_of<Real>(odd != 0 ? c : s, quadrant);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
