/// Search for the lit pixels of an image: those that are not zero, about 20 % of an MNIST image.
#pragma once

#include "simd/lanes.h"
#include "simd/load.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Writes the indices of the pixels above zero to `lit`, which has space for
/// lit_capacity(num_inputs) numbers, and returns how many there are.
///
///     image 0 0 0.5 0 1   ->   lit = [2, 4], returns 2
ISINGPROP_INLINE std::int64_t lit_pixels(const float* image, std::int64_t num_inputs,
                                         std::int32_t* lit) {
  std::int64_t count = 0;
  for (std::int64_t a = 0; a < num_inputs; a += kWidth) {
    const Lanes above = greater(load_first(image + a, num_inputs - a), VecF{});
    count += append_lanes(lit + count, above, static_cast<std::int32_t>(a));
  }
  return count;
}

/// Returns the index of the first pixel that is outside [0, 1] or NaN, or -1 if there is none.
ISINGPROP_INLINE std::int64_t bad_pixel(const float* image, std::int64_t num_inputs) {
  const VecF zero{}, one = splat(1.0f);
  for (std::int64_t a = 0; a < num_inputs; a += kWidth) {
    if (all(within(load_first(image + a, num_inputs - a), zero, one))) continue;
    while (image[a] >= 0.0f && image[a] <= 1.0f) ++a;
    return a;
  }
  return -1;
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
