/// The random numbers of a half-sweep, and whether a spin flips on them.
///
/// With x = slope * s_i f_i in [-inf, inf], u = (r >> 1) / 2^31 for 32 random bits r, and kMove = 63/64,
///
///     spin i flips  where  u < kMove * 2^min(x, 0)
///
/// to 1e-11; u has 31 bits, so a probability is right to 2^-31. Nearly all flips are decided faster: a quadratic gives
/// log2(u / kMove) to within kBand / 2, and only where x is that close to it, 1 flip in 200, does accepts() decide.
/// Which quadratic, and in which rounding, differs between targets and does not reach the states.
#pragma once

#include "kernels/layout.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// xoshiro128+ (Blackman & Vigna 2021, doi:10.1145/3460772), one generator per lane.
struct Generator {
  VecU a, b, c, d;

  ISINGPROP_INLINE Generator read(const std::uint32_t* words) {
    return {load<VecU>(words), load<VecU>(words + kBlock), load<VecU>(words + 2 * kBlock),
            load<VecU>(words + 3 * kBlock)};
  }
  ISINGPROP_INLINE void write(const Generator& g, std::uint32_t* words) {
    store(words, g.a);
    store(words + kBlock, g.b);
    store(words + 2 * kBlock, g.c);
    store(words + 3 * kBlock, g.d);
  }
  inline __attribute__((always_inline)) VecU next() {
    const VecU out = a + d;
    const VecU before_a = a, before_b = b, rotated = d ^ b;
    a = xor3(a, d, b);
    b = xor3(b, c, before_a);
    c = xor3(c, before_a, before_b << 9);
    d = (rotated << 11) | (rotated >> 21);
    return out;
  }
};

/// Logarithms are in units of 2^-23, the step of a float's exponent: a float's own bits are then its logarithm but for
/// a correction that depends on the mantissa m in [1, 2) and is near  c0 + c1 m + c2 m^2,  within 0.00494 / 2^-23.
constexpr float kUnit = 0x1p23f;
constexpr float kC1 = 1.02466581f * kUnit;
constexpr float kC2 = -0.34484844f * kUnit;
/// Twice the largest error, and ample room for roundings: of numbers near 158, half of 2^-16 each.
constexpr float kBand = (2.0f * 0.00494f + 0.0004f) * kUnit;
/// Added to x so that it compares with threshold(): the float format's bias and the 2^31 of u, log2(kMove), and c0.
constexpr float kOffset = (127.0f + 31.0f - 0.02272007650008353f + 0.67487761f) * kUnit;
constexpr float kSurely = kOffset - kBand / 2.0f;
constexpr float kPerhaps = kOffset + kBand / 2.0f;

/// A spin whose r is not below this stays whatever its field: kMove of the range of r.
constexpr std::uint32_t kMostMoving = 0xfc000000u;

/// What x must exceed, by the quadratic; NaN, which nothing exceeds, for u >= kMove.
ISINGPROP_INLINE VecF threshold(VecU r) {
  const VecI word = reinterpret_cast<VecI>(__builtin_convertvector(reinterpret_cast<VecI>(r >> 1), VecF));
  const VecF exponent = __builtin_convertvector(word, VecF);
  const VecF m = reinterpret_cast<VecF>((word & 0x007fffff) | 0x3f800000);
  return nan_where(at_least(r, kMostMoving), near_sum(near_sum(splat(kC2), m, splat(kC1)), m, exponent));
}

/// 2^x for x in (-1000, 0]: Taylor's series of exp around the nearest whole x, right to 1e-11.
ISINGPROP_INLINE double exp2_of(double x) {
  constexpr double kLn2 = 0.6931471805599453;
  constexpr double kInverse[] = {0.0, 1.0, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8, 1.0 / 9};
  constexpr int kTerms = 9, kBias = 1023, kMantissaBits = 52;
  const auto whole = static_cast<std::int64_t>(x - 0.5);
  const double y = (x - static_cast<double>(whole)) * kLn2;
  double series = 1.0;
  for (int k = kTerms; k > 0; --k) series = 1.0 + series * (y * kInverse[k]);
  const std::int64_t bits = (kBias + whole) << kMantissaBits;
  double power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return series * power;
}

/// The rule itself. u = 0 counts as 2^-158, as the bits of a float zero have it, and no spin flips against more.
ISINGPROP_INLINE bool accepts(std::uint32_t r, double x) {
  constexpr double kMove = 63.0 / 64.0, kSmallest = -158.0;
  const double u = r >> 1 == 0 ? 0x1p-158 : static_cast<double>(r >> 1) * 0x1p-31;
  if (x < kSmallest) return false;
  return u < kMove * exp2_of(x < 0.0 ? x : 0.0);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
