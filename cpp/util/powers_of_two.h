/// Logarithms and powers to base 2 with the same bits on every platform.
///
/// The C library's differ in the last bit between its versions and processors. These are series of
/// plain sums and products, correct to about 1e-15:
///
///     log2 of 6 = 1.5 * 2^2:  m = 0.75 (times 2^3), z = (m - 1) / (m + 1) = -1 / 7
///                             2 / ln 2 * (z + z^3 / 3 + z^5 / 5 + ...) + 3 = 2.585
#pragma once

#include <cmath>

namespace isingprop {

/// Returns log2(x) for finite x > 0; exactly, if x is a power of two.
inline double log2_of(double x) {
  constexpr double kScale = 2.8853900817779268 /* 2 / ln 2 */, kRootHalf = 0.70710678118654752;
  constexpr int kLastPower = 19;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // in [0.5, 1)
  if (m < kRootHalf) {
    m *= 2.0;
    --exponent;
  }

  const double z = (m - 1.0) / (m + 1.0);  // of a size of at most 0.172
  double series = 0.0;
  for (int power = kLastPower; power > 0; power -= 2) series = series * (z * z) + 1.0 / power;
  return kScale * (z * series) + exponent;
}

/// Returns 2^x; exactly, if x is a whole number. Infinity or 0 where a double cannot hold it.
inline double power_of_two(double x) {
  constexpr double kLn2 = 0.69314718055994531, kMost = 5000.0;
  constexpr int kTerms = 15;
  const double whole = std::nearbyint(x > kMost ? kMost : x < -kMost ? -kMost : x);
  const double y = std::abs(x) > kMost ? 0.0 : (x - whole) * kLn2;  // of a size of at most 0.347
  double series = 1.0;
  for (int k = kTerms; k > 0; --k) series = 1.0 + series * (y / k);
  return std::ldexp(series, static_cast<int>(whole));
}

}  // namespace isingprop
