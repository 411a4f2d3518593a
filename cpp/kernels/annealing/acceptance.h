/// The random numbers of a half-sweep, and a quick look at whether a spin flips on them.
///
/// accepts(r, slope * s_i f_i) of kernels/rule.h is what decides. Nearly all flips are decided
/// faster: a quadratic gives log2(u / kMove) to within kBand / 2, and only where x is that close to
/// it, 1 flip in 200, does accepts() have to. Which quadratic, and in which rounding, differs
/// between targets and does not reach the states.
#pragma once

#include "kernels/annealing/metropolis_rule.h"
#include "simd/layout.h"
#include "simd/vec.h"

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

/// Logarithms are in units of 2^-23, the step of a float's exponent: a float's own bits are then
/// its logarithm but for a correction that depends on the mantissa m in [1, 2) and is near  c0 + c1
/// m + c2 m^2,  within 0.00494 / 2^-23.
constexpr float kUnit = 0x1p23f;
constexpr float kC1 = 1.02466581f * kUnit;
constexpr float kC2 = -0.34484844f * kUnit;
/// Twice the largest error, and ample room for roundings: of numbers near 158, half of 2^-16 each.
constexpr float kBand = (2.0f * 0.00494f + 0.0004f) * kUnit;
/// Added to x so that it compares with threshold(): the float format's bias and the 2^31 of u,
/// log2(kMove), and c0.
constexpr float kOffset = (127.0f + 31.0f - 0.02272007650008353f + 0.67487761f) * kUnit;
constexpr float kSurely = kOffset - kBand / 2.0f;
constexpr float kPerhaps = kOffset + kBand / 2.0f;

/// A spin whose r is not below this stays whatever its field: kMove of the range of r.
constexpr std::uint32_t kMostMoving = 0xfc000000u;

/// What x must exceed, by the quadratic; NaN, which nothing exceeds, for u >= kMove.
ISINGPROP_INLINE VecF threshold(VecU r) {
  const VecI word =
      reinterpret_cast<VecI>(__builtin_convertvector(reinterpret_cast<VecI>(r >> 1), VecF));
  const VecF exponent = __builtin_convertvector(word, VecF);
  const VecF m = reinterpret_cast<VecF>((word & 0x007fffff) | 0x3f800000);
  return nan_where(at_least(r, kMostMoving),
                   near_sum(near_sum(splat(kC2), m, splat(kC1)), m, exponent));
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
