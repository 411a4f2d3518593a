/// The struct that the output distribution of an energy-based model works on.
#pragma once

#include <cstdint>

namespace isingprop {

/// Rows of hidden fields a = W1 x + b, one for each input x, and the outputs' parameters.
struct OutputDistributionJob {
  const double* hidden_fields;   ///< a, (num_rows, num_hidden)
  const double* output_weights;  ///< W2, (num_output, num_hidden)
  const double* output_bias;     ///< c, (num_output,)
  std::int64_t num_rows, num_hidden, num_output;
  double* scratch;        ///< padded(num_hidden)
  double* log_prob;       ///< out: log P(y | x), (num_rows, 2^num_output)
  double* probabilities;  ///< out: P(y | x), (num_rows, 2^num_output)
};

}  // namespace isingprop
