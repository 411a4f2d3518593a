/// The fast test of metropolis/acceptance.h with a finer threshold, for tests of many reads of one
/// spin at once: some read is a close call in one test out of 50, where it would be one out of 6.
///
/// The cubic for log2 of the mantissa has an error of at most 0.000638. x is at most 0, so that a
/// random number above kMove needs no case of its own.
#pragma once

#include "kernels/metropolis/acceptance.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

constexpr float kFineC1 = 2.0478910117390456f * kUnit;
constexpr float kFineC2 = -1.0518798134356375f * kUnit;
constexpr float kFineC3 = 0.1582497755096953f * kUnit;
/// Twice the largest error of the cubic, plus more than the rounding of x and of the threshold.
constexpr float kFineBand = (2.0f * 0.000638f + 0.0006f) * kUnit;
constexpr float kFineOffset = (127.0f + 31.0f - 0.02272007650008353f + 1.1536238768636016f) * kUnit;
/// A spin certainly flips where threshold - x is less than this.
constexpr float kFineCertain = kFineOffset - kFineBand / 2.0f;
/// A spin certainly stays where threshold - x is not less than this.
constexpr float kFinePossible = kFineOffset + kFineBand / 2.0f;

/// Returns the threshold of a random number, which x + kFineOffset must exceed.
ISINGPROP_INLINE VecF fine_threshold(VecU r) {
  const VecF u = __builtin_convertvector(reinterpret_cast<VecI>(r >> 1), VecF);
  const VecI word = reinterpret_cast<VecI>(u);
  const VecF logarithm = __builtin_convertvector(word, VecF);
  const VecF m = reinterpret_cast<VecF>((word & 0x007fffff) | 0x3f800000);  // in [1, 2)

  const VecF quadratic =
      approximate_fma(approximate_fma(splat(kFineC3), m, splat(kFineC2)), m, splat(kFineC1));
  return approximate_fma(quadratic, m, logarithm);
}

/// Lanes that certainly flip, and lanes that possibly do.
struct FineTest {
  Lanes certain, possible;
};

/// Compares thresholds with x, which is `slope` times a field times 2^23 and counts as at most 0.
ISINGPROP_INLINE FineTest test_finely(VecF threshold, VecF x) {
  const VecF distance = threshold - lesser(x, VecF{});
  return {greater(splat(kFineCertain), distance), greater(splat(kFinePossible), distance)};
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
