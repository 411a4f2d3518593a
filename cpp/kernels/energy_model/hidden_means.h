/// The struct that the means of an energy-based model's hidden units work on.
#pragma once

#include <cstdint>

namespace isingprop {

/// Rows of hidden fields a = W1 x + b, one for each input x, and a weight of each output pattern y.
struct HiddenMeansJob {
  const double* hidden_fields;   ///< a, (num_rows, num_hidden)
  const double* output_weights;  ///< W2, (num_output, num_hidden)
  const double* weights;         ///< w, (num_rows, 2^num_output)
  std::int64_t num_rows, num_hidden, num_output;
  double* scratch;  ///< 2 padded(num_hidden)
  double* hidden;   ///< out: (num_rows, num_hidden)
  double* output;   ///< (num_output, num_hidden), to which is added
};

}  // namespace isingprop
