/// Means of the hidden units of an energy-based model, weighted over output patterns y:
///
///     hidden_bj  = sum_y w_by E[k_j | x_b, y]           E[k_j | x, y] = sigma(a_j + (W2^T y)_j)
///     output_mj += sum_b sum_y w_by y_m E[k_j | x_b, y]
///
/// For one row, one hidden unit with a = 0, one output with W2 = 1, and weights w = (0.25, 0.75):
///
///     hidden = 0.25 sigma(0) + 0.75 sigma(1) = 0.6733,   output += 0.75 sigma(1) = 0.5483
#include "kernels/energy_model/hidden_means.h"

#include "kernels/energy_model/pattern_fields.h"
#include "kernels/energy_model/vector_math.h"
#include "simd/load.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Patterns of weight 0 cost nothing, and rows are added in order.
void hidden_means(const HiddenMeansJob& given) {
  const HiddenMeansJob job = given;  // a copy, so that the compiler knows that no store changes it
  const std::int64_t num_patterns = std::int64_t{1} << job.num_output;
  const std::int64_t num_hidden = job.num_hidden;
  double* pattern_fields = job.scratch;
  double* sums = job.scratch + padded(num_hidden);  // over rows, for one pattern
  for (std::int64_t k = 0; k < job.num_rows * num_hidden; ++k) job.hidden[k] = 0.0;

  for (std::int64_t y = 0; y < num_patterns; ++y) {
    fields_of_pattern(job.output_weights, num_hidden, y, pattern_fields);
    for (std::int64_t j = 0; j < padded(num_hidden); ++j) sums[j] = 0.0;

    for (std::int64_t b = 0; b < job.num_rows; ++b) {
      const double weight = job.weights[b * num_patterns + y];
      if (weight == 0.0) continue;
      const double* fields = job.hidden_fields + b * num_hidden;
      double* hidden = job.hidden + b * num_hidden;
      for (std::int64_t j = 0; j < num_hidden; j += kDoubles) {
        const std::int64_t left = num_hidden - j;
        const VecD field = load_first(fields + j, left) + load<VecD>(pattern_fields + j);
        const VecD share = weight * sigmoid_of(field);
        store_first(hidden + j, load_first(hidden + j, left) + share, left);
        store(sums + j, load<VecD>(sums + j) + share);
      }
    }

    for (std::int64_t m = 0; m < job.num_output; ++m) {
      if (!is_on(y, m)) continue;
      double* output = job.output + m * num_hidden;
      for (std::int64_t j = 0; j < num_hidden; ++j) output[j] += sums[j];
    }
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
