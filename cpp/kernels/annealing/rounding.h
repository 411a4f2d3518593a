/// The struct that the rounding of couplings works on.
#pragma once

#include <cstdint>

namespace isingprop {

/// Couplings of type Real that are to be rounded to a grid; see chains/coupling_grid.h.
template <class Real>
struct CouplingJob {
  const Real* couplings;  ///< (num_hidden, num_output)
  std::int64_t num_hidden, num_output;
  Real* row_sums;     ///< out, of largest_sum: sums of |J| over rows, (num_hidden,)
  Real* column_sums;  ///< padded(num_output) zeros; out, of largest_sum: sums of |J| over columns
  std::int64_t* num_nonzero;  ///< out, of largest_sum: how many couplings are not 0
  float* hidden_rows;         ///< out: 2 J, (num_hidden, padded(num_output)), zero in the padding
  float* output_rows;         ///< out: 2 J^T, (num_output, padded(num_hidden)), zero in the padding
};

}  // namespace isingprop
