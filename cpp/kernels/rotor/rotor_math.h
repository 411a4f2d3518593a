/// Sines, cosines and logarithms of vectors of floats, with the same bits on every target.
///
/// Each is the polynomial of its degree whose largest error is least, evaluated by Horner's rule:
/// one product and one sum per coefficient, each rounded. The largest errors, with rounding, are
/// 8e-7 (sine), 2e-7 (cosine) and 2e-6 (logarithm to base 2).
#pragma once

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Returns sin(x) for x in [-pi / 2, pi / 2].
ISINGPROP_INLINE VecF sine(VecF x) {
  const VecF square = x * x;
  VecF sum = square * -1.8363655e-4f + 8.3063253e-3f;
  sum = sum * square + -0.16664828f;
  sum = sum * square + 0.99999662f;
  return sum * x;
}

/// Returns cos(x) for x in [-pi / 2, pi / 2].
ISINGPROP_INLINE VecF cosine(VecF x) {
  const VecF square = x * x;
  VecF sum = square * 2.3153932e-5f + -1.3853704e-3f;
  sum = sum * square + 4.1663585e-2f;
  sum = sum * square + -0.49999905f;
  return sum * square + 0.99999995f;
}

/// Returns 2^23 log2(u) for u = (r >> 1) / 2^31, where u = 0 counts as 2^-158.
///
/// The bits of the float 2^e (1 + y), read as an integer, are 2^23 (e + 127 + y). They are the
/// logarithm but for log2(1 + y) - y, a polynomial of 2^23 y, which is the low bits:
///
///     r = 0xc0000000:   u = 3/4 = 2^-1 (1 + 1/2),   log2(u) = -1 + 1/2 + 0.085 = -0.415
ISINGPROP_INLINE VecF logarithm_of_uniform(VecU r) {
  constexpr std::int32_t kFraction = 0x007fffff;         // the bits of y
  constexpr std::int32_t kTop = (127 + 31) * (1 << 23);  // the bits of 2^31
  const VecF u = __builtin_convertvector(reinterpret_cast<VecI>(r >> 1), VecF);
  const VecI word = reinterpret_cast<VecI>(u);
  const VecF linear = __builtin_convertvector(word - kTop, VecF);
  const VecF y = __builtin_convertvector(word & kFraction, VecF);

  VecF sum = y * (-2.5691106e-2f * 0x1p-115f) + 0.1210023f * 0x1p-92f;
  sum = sum * y + -0.27654083f * 0x1p-69f;
  sum = sum * y + 0.45652172f * 0x1p-46f;
  sum = sum * y + -0.71779109f * 0x1p-23f;
  sum = sum * y + 0.44249532f;
  sum = sum * y + 1.8456562e-6f * 0x1p23f;
  return linear + sum;
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
