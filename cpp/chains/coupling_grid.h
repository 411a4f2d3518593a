/// The couplings of one problem in the form that the annealing kernels need.
#pragma once

#include <cstdint>

#include "chains/row_spans.h"
#include "kernels/annealing/rounding.h"
#include "util/aligned.h"

namespace isingprop {

/// Couplings rounded to whole multiples of a quantum, on which float arithmetic is exact.
///
/// The quantum is a power of two. It is so small that rounding moves a coupling by at most 2^-24 of
/// the largest sum of |J| over a row or column, and so large that every field sum_j J_ij t_j is a
/// whole number of quanta below 2^24, which a float holds exactly:
///
///     J = [0.3, -0.1]:  largest sum of |J| 0.4, between 2^-2 and 2^-1
///                       ->  quantum 2^-25,  J = [10066330, -3355443] quanta
///
/// Everything is stored in units of 2^exponent, in which the largest sum or field is between 2^22
/// and 2^23. Neither small numbers nor slopes then leave the range of float, so that no problem
/// above 1e-300 is too small. Since the unit is a power of two, it does not affect the states,
/// unless the numbers of one batch are more than 2^100 apart and the small ones vanish.
///
/// Sparse couplings whose non-zero entries are near each other, such as those of a lattice, are
/// stored as spans of rows (see RowSpan). Memory and time are then proportional to the length of
/// the spans, and the states are the same.
class CouplingGrid {
 public:
  /// `largest_field` is the largest |h|; only its power of two matters. Throws
  /// std::invalid_argument if a coupling is not finite or a sum of |J| is above 1e30.
  template <class Real>
  CouplingGrid(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output,
               double largest_field = 0.0);

  /// 2 J, (num_hidden, padded(num_output)), or the spans of its rows.
  const float* hidden_rows() const { return hidden_rows_; }
  /// 2 J^T, (num_output, padded(num_hidden)), or the spans of its rows.
  const float* output_rows() const { return output_rows_; }
  /// The spans of the rows, or null where they are stored whole.
  const RowSpan* hidden_spans() const { return spans_.rows.empty() ? nullptr : spans_.rows.data(); }
  const RowSpan* output_spans() const {
    return spans_.columns.empty() ? nullptr : spans_.columns.data();
  }
  /// Fields of the hidden spins when all output spins are -1, and the reverse.
  const float* hidden_down() const { return hidden_down_; }
  const float* output_down() const { return output_down_; }
  /// sum_ia J_ia^2, in units of 2^(2 exponent).
  double sum_of_squares() const { return sum_of_squares_; }
  int exponent() const { return exponent_; }

 private:
  void allocate(std::int64_t num_hidden, std::int64_t num_output);
  template <class Real>
  void fill_spans(const CouplingJob<Real>& job, double quantum, double scale);

  RowSpans spans_;
  AlignedArray<float> memory_;  ///< of the four arrays below
  float *hidden_rows_, *output_rows_, *hidden_down_, *output_down_;
  double sum_of_squares_ = 0.0;
  int exponent_ = 0;
};

}  // namespace isingprop
