/// The struct that the update of a network's parameters works on.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// A minibatch of images and sampled states, and the parameters that are changed in place.
struct UpdateJob {
  float* input_weights;  ///< transposed: (num_inputs, num_hidden)
  float* couplings;      ///< (num_hidden, num_output)
  float* hidden_bias;    ///< (num_hidden,)
  float* output_bias;    ///< (num_output,)
  float rate_input_weights, rate_couplings, rate_hidden_bias, rate_output_bias;
  const float* images;              ///< (num_images, num_inputs)
  const std::int8_t* free_spins;    ///< (num_images, num_free, num_hidden + num_output)
  const std::int8_t* nudged_spins;  ///< (num_images, num_nudged, num_hidden + num_output)
  const double* free_weights;       ///< (num_images, num_free), or null for 1 / num_free
  std::int64_t num_images, num_inputs, num_hidden, num_output, num_free, num_nudged;
  float* scratch;     ///< update_scratch_floats(job) zeros
  std::int32_t* lit;  ///< lit_capacity(num_inputs)
};

/// Returns the number of floats that job.scratch must hold; the pointers of the job are not read,
/// but for free_weights.
///
/// Without weights these are the reads of both phases as floats, each layer padded, and one row of
/// sums. With weights they are the sums of update_weighted.h in double precision, and one row and
/// one column of floats.
inline std::int64_t update_scratch_floats(const UpdateJob& job) {
  const std::int64_t row = padded(job.num_output);
  if (job.free_weights != nullptr) {
    const std::int64_t doubles = (job.num_hidden + 2) * row + job.num_hidden;
    return 2 * doubles + row + job.num_hidden;
  }
  return (job.num_free + job.num_nudged + 1) * (padded(job.num_hidden) + row);
}

}  // namespace isingprop
