/// When a spin flips, and when two replicas swap their temperatures: Metropolis's rule, in plain
/// scalars.
///
/// With x the logarithm to base 2 of the weight gained, in [-inf, inf], u = (r >> 1) / 2^31 for 32
/// random bits r, and kMove = 63/64, a move is made
///
///     where  u < kMove * 2^min(x, 0)
///
/// to 1e-11; u has 31 bits, so a probability is right to 2^-31.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// 2^x for x in (-1000, 0]: Taylor's series of exp around the nearest whole x, right to 1e-11.
ISINGPROP_INLINE double exp2_of(double x) {
  constexpr double kLn2 = 0.6931471805599453;
  constexpr double kInverse[] = {0.0,     1.0,     1.0 / 2, 1.0 / 3, 1.0 / 4,
                                 1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8, 1.0 / 9};
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

/// min(1, 2^x), and 0 for what no move is made against.
ISINGPROP_INLINE double probability(double x) {
  constexpr double kSmallest = -158.0;
  return x < kSmallest ? 0.0 : exp2_of(x < 0.0 ? x : 0.0);
}

/// Whether a move is made on 32 random bits r. u = 0 counts as 2^-158, as the bits of a float zero
/// have it, and no spin flips against more.
ISINGPROP_INLINE bool accepts(std::uint32_t r, double x) {
  constexpr double kMove = 63.0 / 64.0;
  const double u = r >> 1 == 0 ? 0x1p-158 : static_cast<double>(r >> 1) * 0x1p-31;
  return u < kMove * probability(x);
}

}  // namespace isingprop
