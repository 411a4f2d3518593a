/// Exponentials and logarithms of vectors of doubles, correct to about 2e-16.
///
/// They are polynomials, with the same operations on every target: the functions of the C library
/// have other last bits on other machines. A double consists of 1 sign bit, 11 bits of exponent and
/// 52 bits of fraction,
///
///     [s][eeeeeeeeeee][ffff ... ffff]  =  (-1)^s * 2^(e - 1023) * 1.f,
///
/// so that adding an integer n to the bits at the exponent's place multiplies by 2^n, and taking
/// the exponent out of the bits leaves the fraction in [1, 2).
#pragma once

#include "simd/load.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

constexpr double kLog2E = 0x1.71547652b82fep0;
/// log(2) in two parts. The first ends in 21 zero bits, so that its whole multiples up to 2^21 are
/// exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
/// exp(-708) = 3e-308 is the smallest exponential that a normal double holds.
constexpr double kMinExponent = -708.0;
/// Adding and subtracting 1.5 * 2^52 rounds a double to the nearest whole number; in between, that
/// number is in the low bits.
constexpr double kRoundToWhole = 0x1.8p52;
constexpr int kFractionBits = 52;
/// The bits of 1.0.
constexpr std::int64_t kOneBits = 0x3ff0000000000000;

ISINGPROP_INLINE VecL bits_of(VecD x) { return reinterpret_cast<VecL>(x); }
ISINGPROP_INLINE VecD from_bits(VecL x) { return reinterpret_cast<VecD>(x); }

/// Returns `yes` in the lanes where all bits of `where` are set, and `no` in the others.
ISINGPROP_INLINE VecD choose(VecL where, VecD yes, VecD no) {
  return from_bits((bits_of(yes) & where) | (bits_of(no) & ~where));
}

/// Returns exp(x) for x <= 0 as 2^n exp(r), where |r| <= log(2) / 2 and exp(r) is a Taylor series.
///
///     x = -5:   n = round(-5 / log 2) = -7,  r = -5 + 7 log 2 = -0.148,  2^-7 exp(r) = 0.00674
ISINGPROP_INLINE VecD exponential(VecD x) {
  constexpr int kTerms = 14;
  constexpr double kInverseFactorials[kTerms] = {1.0 / 6227020800,
                                                 1.0 / 479001600,
                                                 1.0 / 39916800,
                                                 1.0 / 3628800,
                                                 1.0 / 362880,
                                                 1.0 / 40320,
                                                 1.0 / 5040,
                                                 1.0 / 720,
                                                 1.0 / 120,
                                                 1.0 / 24,
                                                 1.0 / 6,
                                                 1.0 / 2,
                                                 1.0,
                                                 1.0};
  x = choose(x < kMinExponent, splat(kMinExponent), x);
  const VecD shifted = x * kLog2E + kRoundToWhole;
  const VecD n = shifted - kRoundToWhole;
  const VecD r = (x - n * kLn2High) - n * kLn2Low;

  VecD sum = splat(kInverseFactorials[0]);
  for (int k = 1; k < kTerms; ++k) sum = sum * r + kInverseFactorials[k];
  return from_bits(bits_of(sum) + (bits_of(shifted) << kFractionBits));
}

/// Returns log(1 + u) for u in [0, 1] as 2 artanh(s) by its series, where s = u / (2 + u) <= 1/3.
ISINGPROP_INLINE VecD log_one_plus(VecD u) {
  constexpr int kLastPower = 33;  // of s in the series, with (1/3)^34 / 35 below the last bit
  const VecD s = u / (u + 2.0);
  const VecD square = s * s;
  VecD sum = splat(1.0 / kLastPower);
  for (int k = kLastPower - 2; k > 0; k -= 2) sum = sum * square + 1.0 / k;
  return (s + s) * sum;
}

/// Returns log(x) for x >= 1 as n log(2) + log(fraction), where x = 2^n * fraction.
ISINGPROP_INLINE VecD logarithm(VecD x) {
  const VecL exponent = (bits_of(x) - kOneBits) >> kFractionBits;
  const VecD n = from_bits(exponent + bits_of(splat(kRoundToWhole))) - kRoundToWhole;
  const VecD fraction = from_bits(bits_of(x) - (exponent << kFractionBits));
  return n * kLn2High + (log_one_plus(fraction - 1.0) + n * kLn2Low);
}

/// Returns log(1 + exp(x)).
ISINGPROP_INLINE VecD softplus_of(VecD x) {
  return choose(x > 0.0, x, VecD{}) + log_one_plus(exponential(-absolute(x)));
}

/// Returns 1 / (1 + exp(-x)).
ISINGPROP_INLINE VecD sigmoid_of(VecD x) {
  const VecD u = exponential(-absolute(x));
  return choose(x < 0.0, u, splat(1.0)) / (u + 1.0);
}

/// Stores function(x) for each of `count` numbers x.
template <class Function>
ISINGPROP_INLINE void for_each(const double* from, std::int64_t count, double* to,
                               const Function& function) {
  for (std::int64_t k = 0; k < count; k += kDoubles) {
    store_first(to + k, function(load_first(from + k, count - k)), count - k);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
