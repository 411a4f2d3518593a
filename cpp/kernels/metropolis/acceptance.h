/// A fast test of whether a spin flips, which leaves the rare close calls to the exact rule.
///
/// The rule of metropolis_rule.h, u < kMove * 2^min(x, 0), is compared in logarithms: a spin flips
/// if x > log2(u / kMove). threshold() approximates that logarithm by a quadratic, and the
/// comparison is certain wherever x is further from it than the largest error of the quadratic,
/// kBand / 2:
///
///     log2(u / kMove) as approximated
///     ------------------|===== kBand =====|------------------> x
///        does not flip     accepts() says        flips
///
/// About 1 flip in 200 falls into the band. The quadratic and its rounding differ between targets,
/// but the states do not: within the band the exact rule decides, and outside it both agree.
///
/// Example: r = 0x80000000 gives u = 1/2 and log2(u / kMove) = -0.9773. A spin with x = -0.9 flips,
/// a spin with x = -1.1 does not, and for x = -0.977 accepts() computes 2^x to 1e-11.
#pragma once

#include "kernels/metropolis/metropolis_rule.h"
#include "simd/lanes.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Logarithms are in units of 2^-23, the step of a float's exponent. In these units the bits of a
/// float, read as an integer, are its logarithm but for a correction that depends on the mantissa m
/// in [1, 2). The correction is c0 + c1 m + c2 m^2 with an error of at most 0.00494 * 2^23 units.
constexpr float kUnit = 0x1p23f;
constexpr float kC1 = 1.02466581f * kUnit;
constexpr float kC2 = -0.34484844f * kUnit;
/// Twice the largest error of the quadratic, plus more than the rounding of x and of the threshold,
/// which are numbers up to 158 and rounded by at most 2^-17 each.
constexpr float kBand = (2.0f * 0.00494f + 0.0004f) * kUnit;
/// Added to x so that it compares with threshold(). The terms are the bias of a float's exponent,
/// the 2^31 of u, log2(kMove), and minus the constant term of the quadratic.
constexpr float kOffset = (127.0f + 31.0f - 0.02272007650008353f + 0.67487761f) * kUnit;
/// Where x plus this exceeds the threshold, the spin certainly flips.
constexpr float kCertain = kOffset - kBand / 2.0f;
/// Where x plus this does not exceed the threshold, the spin certainly stays.
constexpr float kPossible = kOffset + kBand / 2.0f;

/// A spin whose random number is not below this, kMove of the range, stays whatever its field is.
constexpr std::uint32_t kMoveLimit = 0xfc000000u;

/// Returns the threshold that x must exceed, or NaN, which nothing exceeds, for u >= kMove.
ISINGPROP_INLINE VecF threshold(VecU r) {
  const VecF u = __builtin_convertvector(reinterpret_cast<VecI>(r >> 1), VecF);
  const VecI word = reinterpret_cast<VecI>(u);
  const VecF logarithm = __builtin_convertvector(word, VecF);
  const VecF m = reinterpret_cast<VecF>((word & 0x007fffff) | 0x3f800000);  // in [1, 2)

  const VecF linear = approximate_fma(splat(kC2), m, splat(kC1));
  return nan_where(at_least(r, kMoveLimit), approximate_fma(linear, m, logarithm));
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
