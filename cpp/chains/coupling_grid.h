/// The couplings of one problem as the kernels want them.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/kernel_table.h"
#include "util/aligned.h"

namespace isingprop {

/// Couplings rounded to one quantum, a power of two, so small that no kernel can tell and so large
/// that every field sum_j J_ij t_j is a whole number of quanta below 2^24: float arithmetic on it
/// is exact.
///
///     J = [0.3, -0.1]:  largest sum of |J| 0.4, in 2^-2 .. 2^-1   ->  quantum 2^-25,  J =
///     [10066330, -3355443] quanta
///
/// A coupling moves by at most 2^-24 of the largest sum of |J| over a row or column. Everything is
/// held in units of 2^exponent, in which the largest sum or field is between 2^22 and 2^23, so that
/// neither small numbers nor slopes leave the range of float: no problem above 1e-300 is too small.
/// A unit is a power of two, so it does not reach the states, unless numbers of one batch are more
/// than 2^100 apart and the small ones vanish.
class CouplingGrid {
 public:
  /// largest_field: of all |h|; only its power of two matters. Throws std::invalid_argument where a
  /// coupling is not finite or a sum is above 1e30.
  ///
  /// Where most couplings are 0 and the others near each other, as those of a lattice are, each row
  /// is held from its first to its last one only: memory and time follow the length of these spans,
  /// and the states are the same.
  template <class Real>
  CouplingGrid(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output,
               double largest_field = 0.0);

  const float* hidden_rows() const {
    return hidden_rows_;
  }  ///< 2 J: (num_hidden, padded(num_output)), or spans of it
  const float* output_rows() const {
    return output_rows_;
  }  ///< 2 J^T: (num_output, padded(num_hidden)), the same
  const RowSpan* hidden_spans() const {
    return hidden_spans_.empty() ? nullptr : hidden_spans_.data();
  }
  const RowSpan* output_spans() const {
    return output_spans_.empty() ? nullptr : output_spans_.data();
  }
  const float* hidden_down() const {
    return hidden_down_;
  }  ///< fields of hidden spins with all outputs down
  const float* output_down() const {
    return output_down_;
  }  ///< and of output spins with all hidden spins down
  double sum_of_squares() const {
    return sum_of_squares_;
  }  ///< sum_ia J_ia^2, in units of 2^(2 exponent)
  int exponent() const { return exponent_; }

 private:
  template <class Real>
  void round_spans(const CouplingJob<Real>& job, double quantum, double scale);

  std::vector<RowSpan> hidden_spans_, output_spans_;  ///< empty where rows are held whole
  AlignedArray<float> memory_;
  float *hidden_rows_, *output_rows_, *hidden_down_, *output_down_;
  double sum_of_squares_ = 0.0;
  int exponent_ = 0;
};

}  // namespace isingprop
