/// The update from one image whose free reads have weights w; see update.cc for the rule.
///
/// The free mean is the weighted sum over the free reads. The nudged mean is multiplied by the sum
/// of all weights, so that both phases have the same total weight:
///
///     change of J_ia = sum_r w_r s_ri t_ra - (sum_r w_r) * mean over nudged reads of s_i t_a
///
/// Weights are not whole numbers, so that the sums are kept in double precision:
///
///     scratch:  products (num_hidden rows of outputs) | outputs | one read | hidden | floats
#pragma once

#include "kernels/network/update.h"
#include "kernels/network/update_steps.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Weighted sums over the reads of one image, negative for nudged reads.
struct WeightedSums {
  double* products;  ///< sum w s_i t_a, (num_hidden, padded(num_output))
  double* outputs;   ///< sum w t_a, padded(num_output)
  double* read;      ///< w t_a of one read, padded(num_output)
  double* hidden;    ///< sum w s_i, num_hidden
  float* change;     ///< a row of outputs and then the hidden layer, as floats
};

ISINGPROP_INLINE WeightedSums sums_in_scratch(const UpdateJob& job) {
  const std::int64_t row = padded(job.num_output);
  double* products = reinterpret_cast<double*>(job.scratch);
  double* outputs = products + job.num_hidden * row;
  double* hidden = outputs + 2 * row;
  return {.products = products,
          .outputs = outputs,
          .read = outputs + row,
          .hidden = hidden,
          .change = reinterpret_cast<float*>(hidden + job.num_hidden)};
}

/// Adds one read to the sums.
static void add_read(const UpdateJob& job, const std::int8_t* spins, double weight,
                     const WeightedSums& sums) {
  const std::int64_t row = padded(job.num_output);
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    sums.read[a] = weight * spins[job.num_hidden + a];
  }
  for (std::int64_t a = 0; a < job.num_output; ++a) sums.outputs[a] += sums.read[a];

  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    sums.hidden[i] += weight * spins[i];
    const VecD spin = splat(static_cast<double>(spins[i]));
    for (std::int64_t a = 0; a < row; a += kDoubles) {
      double* at = sums.products + i * row + a;
      store(at, add_exact(load<VecD>(at), spin, load<VecD>(sums.read + a)));
    }
  }
}

/// Adds the reads of both phases of one image to sums of zero.
static void add_reads(const UpdateJob& job, const std::int8_t* free_spins,
                      const std::int8_t* nudged_spins, const double* weights,
                      const WeightedSums& sums) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (double* x = sums.products; x < sums.hidden + job.num_hidden; ++x) *x = 0.0;

  double total = 0.0;
  for (std::int64_t r = 0; r < job.num_free; ++r) {
    if (weights[r] == 0.0) continue;
    total += weights[r];
    add_read(job, free_spins + r * num_spins, weights[r], sums);
  }

  const double share = -total / static_cast<double>(job.num_nudged);
  for (std::int64_t r = 0; r < job.num_nudged; ++r) {
    add_read(job, nudged_spins + r * num_spins, share, sums);
  }
}

/// Rounds numbers to floats at `to`, and returns `to`.
static const float* as_floats(const double* from, std::int64_t count, float* to) {
  for (std::int64_t k = 0; k < count; ++k) to[k] = static_cast<float>(from[k]);
  return to;
}

/// Adds the change from one image to all parameters.
static void add_weighted_image(const UpdateJob& job, const float* image,
                               const std::int8_t* free_spins, const std::int8_t* nudged_spins,
                               const double* weights) {
  const std::int64_t row = padded(job.num_output);
  const WeightedSums sums = sums_in_scratch(job);
  add_reads(job, free_spins, nudged_spins, weights, sums);

  const float unit = 1.0f / static_cast<float>(job.num_images);
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const float* change = as_floats(sums.products + i * row, job.num_output, sums.change);
    add_scaled(job.couplings + i * job.num_output, job.rate_couplings * unit, change,
               job.num_output);
  }

  const float* outputs = as_floats(sums.outputs, job.num_output, sums.change);
  add_scaled(job.output_bias, job.rate_output_bias * unit, outputs, job.num_output);
  const float* hidden = as_floats(sums.hidden, job.num_hidden, sums.change + row);
  add_scaled(job.hidden_bias, job.rate_hidden_bias * unit, hidden, job.num_hidden);
  add_input_weights(job, image, job.rate_input_weights * unit, hidden);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
