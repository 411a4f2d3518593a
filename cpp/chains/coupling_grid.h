/// The couplings of one problem in the form that the annealing kernels need.
#pragma once

#include <cstdint>
#include <vector>

#include "chains/problem.h"
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
/// between 1e-300 and 1e300 is too small or too large. Since the unit is a power of two, it does
/// not affect the states, unless the numbers of one batch are more than 2^100 apart and the small
/// ones vanish.
///
/// Where the sums of |J| of two spins are more than 2^10 apart, one quantum would be too coarse for
/// the smaller one. The grid is then *graded*: the fields of each spin have a quantum and a unit of
/// their own, by its own sum, and J_ij is stored twice, in the units of spin i and of spin j:
///
///     sums of |J|:  1e8 (spins 0, 1),  0.5 (spins 2, 3)   ->   units 2^4 and 2^-24
///
/// Sparse couplings whose non-zero entries are near each other, such as those of a lattice, are
/// stored as spans of rows (see RowSpan). Memory and time are then proportional to the length of
/// the spans, and the states are the same.
///
/// Arrays over all spins have the hidden spins first and the outputs from padded(num_hidden) on.
class CouplingGrid {
 public:
  /// Throws std::invalid_argument if a coupling is not finite, or a sum of |J| or a field is above
  /// 1e300.
  template <class Real>
  explicit CouplingGrid(const Problem<Real>& problem);

  std::int64_t num_hidden() const { return num_hidden_; }
  std::int64_t num_output() const { return num_output_; }

  /// 2 J, (num_hidden, padded(num_output)), or the spans of its rows, in units of the outputs.
  const float* hidden_rows() const { return hidden_rows_; }
  /// 2 J^T, (num_output, padded(num_hidden)), or the spans of its rows, in units of the hidden.
  const float* output_rows() const { return output_rows_; }
  /// The spans of the rows, or null where they are stored whole.
  const RowSpan* hidden_spans() const { return spans_.rows.empty() ? nullptr : spans_.rows.data(); }
  const RowSpan* output_spans() const {
    return spans_.columns.empty() ? nullptr : spans_.columns.data();
  }
  /// Fields of the hidden spins when all output spins are -1, and the reverse.
  const float* hidden_down() const { return hidden_down_; }
  const float* output_down() const { return output_down_; }

  /// sum_j |J_ij| of each spin, in its unit, correct to rounding; 0 in the padding.
  const float* sums() const { return sums_; }
  /// sum_j J_ij^2 of each spin, in its unit; 0 in the padding.
  const float* squares() const { return squares_; }
  /// Bounds of the error that rounding makes in the coupling field of each spin, in its unit; 0
  /// where all couplings are on the grid as they are.
  const float* errors() const { return errors_; }
  /// sum_ia J_ia^2, in units of 2^(2 exponent); 0 if graded.
  double sum_of_squares() const { return sum_of_squares_; }
  /// Whether no coupling is 0, so that each spin couples to all of the other layer.
  bool is_dense() const { return is_dense_; }
  /// Whether it is dense and not graded, so that all spins are one part in one unit.
  bool is_one_part() const { return is_dense_ && !is_graded(); }

  /// An estimate of the coherence of all couplings, see CouplingGraph: from 0 to 1, and 0 unless it
  /// is dense, not graded, and certain that not all is noise.
  double coherence() const { return coherence_; }

  bool is_graded() const { return !exponents_.empty(); }
  /// The exponent of the unit: the largest, if graded.
  int exponent() const { return exponent_; }
  /// The exponent of the unit of one spin.
  int exponent(std::int64_t at) const {
    return is_graded() ? exponents_[static_cast<std::size_t>(at)] : exponent_;
  }

 private:
  void allocate();
  template <class Real>
  void round_to_one_quantum(const CouplingJob<Real>& job, double quantum);
  double estimate_coherence() const;
  template <class Real>
  void grade(const Problem<Real>& problem, const std::vector<double>& sums);
  template <class Real>
  void fill_each(const Real* couplings, const std::vector<int>& quanta);

  std::int64_t num_hidden_, num_output_;
  RowSpans spans_;
  AlignedArray<float> memory_;  ///< of the arrays below
  float *hidden_rows_, *output_rows_, *hidden_down_, *output_down_, *squares_, *sums_, *errors_;
  double sum_of_squares_ = 0.0;
  double coherence_ = 0.0;
  bool is_dense_ = false;
  int exponent_ = 0;
  std::vector<int> exponents_;  ///< of each spin, if graded
};

}  // namespace isingprop
