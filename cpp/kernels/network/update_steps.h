/// The steps of an update that the unweighted and the weighted rule share.
#pragma once

#include "kernels/network/pixels.h"
#include "kernels/network/update.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Adds scale * change_i to row_i.
///
/// If the length is not a multiple of the vector's, the last vector overlaps the one before. It is
/// therefore computed before any vector is stored:
///
///     length 10, kWidth 4:   [0 1 2 3] [4 5 6 7]
///                                            [6 7 8 9]
ISINGPROP_INLINE void add_scaled(float* row, float scale, const float* change,
                                 std::int64_t length) {
  if (length < kWidth) {
    for (std::int64_t i = 0; i < length; ++i) row[i] += scale * change[i];
    return;
  }

  const std::int64_t last = length - kWidth;
  const VecF end = load<VecF>(row + last) + scale * load<VecF>(change + last);
  for (std::int64_t i = 0; i < last; i += kWidth) {
    store(row + i, load<VecF>(row + i) + scale * load<VecF>(change + i));
  }
  store(row + last, end);
}

/// Adds rate * x_a * hidden_i to W_ia, where hidden_i is the difference of the phases. Dark pixels
/// are left out.
static void add_input_weights(const UpdateJob& job, const float* image, float rate,
                              const float* hidden) {
  const std::int64_t num_lit = lit_pixels(image, job.num_inputs, job.lit);
  for (std::int64_t k = 0; k < num_lit; ++k) {
    const std::int64_t a = job.lit[k];
    add_scaled(job.input_weights + a * job.num_hidden, rate * image[a], hidden, job.num_hidden);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
