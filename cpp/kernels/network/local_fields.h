/// The struct that local fields and other products of rows with a matrix work on.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// Returns the capacity that the indices of an image's lit pixels need: they are written a vector
/// at a time, up to a block beyond the last one.
inline constexpr std::int64_t lit_capacity(std::int64_t num_inputs) { return num_inputs + kBlock; }

/// weighted_sums() multiplies this many rows by one tile of columns before it goes on to the next
/// tile, so that the tile stays in the cache.
inline constexpr std::int64_t kRowsPerTile = 64;

/// Images x, weights W and a bias b of which b + x W is wanted. Real is float for images, and
/// double for rows of any numbers.
template <class Real>
struct LocalFieldsJob {
  const Real* images;         ///< (num_images, num_inputs)
  const Real* input_weights;  ///< transposed: (num_inputs, num_hidden)
  const Real* hidden_bias;    ///< (num_hidden,)
  std::int64_t num_images, num_inputs, num_hidden;
  std::int32_t* scratch;  ///< lit_capacity(num_inputs); kRowsPerTile times that for weighted_sums
  Real* fields;           ///< out: (num_images, num_hidden)
};

}  // namespace isingprop
