/// The rule by which a spin flips and two replicas swap their temperatures, in scalar code.
///
/// This is Metropolis's rule (Metropolis et al. 1953, doi:10.1063/1.1699114) times a constant. x is
/// the logarithm to base 2 of the weight that the move gains, in [-inf, inf]; u = (r >> 1) / 2^31
/// comes from 32 random bits r; and kMove = 63/64. The move is accepted if
///
///     u < kMove * 2^min(x, 0).
///
///     x = -1, so 2^x = 1/2:   u < 0.492 is accepted, u = 0.493 is not
///     x = +3:                 u < 0.984 is accepted
///
/// The power is correct to 1e-11 and u has 31 bits, so a probability is correct to 2^-31.
#pragma once

#include <cstdint>

#include "simd/target.h"

namespace isingprop {

/// Returns 2^x for x in (-1000, 0]: Taylor's series of exp around the nearest whole x.
ISINGPROP_INLINE double exp2_of(double x) {
  constexpr double kLn2 = 0.6931471805599453;
  constexpr int kTerms = 9;
  constexpr double kInverse[kTerms + 1] = {0.0,     1.0,     1.0 / 2, 1.0 / 3, 1.0 / 4,
                                           1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8, 1.0 / 9};
  constexpr int kBias = 1023, kMantissaBits = 52;  // of a double

  const auto whole = static_cast<std::int64_t>(x - 0.5);
  const double y = (x - static_cast<double>(whole)) * kLn2;
  double series = 1.0;
  for (int k = kTerms; k > 0; --k) series = 1.0 + series * (y * kInverse[k]);

  const std::int64_t bits = (kBias + whole) << kMantissaBits;
  double power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return series * power;
}

/// Returns min(1, 2^x), or 0 for x so small that no random number accepts the move.
ISINGPROP_INLINE double probability(double x) {
  constexpr double kMinExponent = -158.0;
  return x < kMinExponent ? 0.0 : exp2_of(x < 0.0 ? x : 0.0);
}

inline constexpr double kMove = 63.0 / 64.0;
/// What the random number 0 counts as.
inline constexpr double kLeastRandom = 0x1p-158;

/// Returns whether a move is accepted with the 32 random bits r. The number u = 0 counts as 2^-158:
/// acceptance.h reads the logarithm of u from the bits of a float, and those of 0.0f read as -158.
ISINGPROP_INLINE bool accepts(std::uint32_t r, double x) {
  const double u = r >> 1 == 0 ? kLeastRandom : static_cast<double>(r >> 1) * 0x1p-31;
  return u < kMove * probability(x);
}

/// Returns the number of values of r >> 1 with which accepts() is true; they are 0, 1, 2 ...
ISINGPROP_INLINE std::uint32_t accepted_values(double x) {
  const double limit = kMove * probability(x);
  if (kLeastRandom >= limit) return 0;
  const double count = limit * 0x1p31;
  const auto whole = static_cast<std::uint32_t>(count);
  return whole + (count > static_cast<double>(whole));
}

}  // namespace isingprop
