/// The couplings of a problem on any graph in the form that the kernels need.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "graphs/graph_problem.h"
#include "graphs/sweep_order.h"
#include "kernels/graph/given_couplings.h"
#include "kernels/graph/graph_rows.h"
#include "util/aligned.h"

namespace isingprop {

/// Couplings and fields in the order of a sweep; a *place* is the position of a spin in it.
///
/// Couplings are rounded to whole units, on which float arithmetic is exact: the unit is a power of
/// two in which the largest sum of |J| of a spin is between 2^22 and 2^23, so that all sums are
/// whole numbers below 2^24. Where the sums of two spins are more than 2^10 apart, each spin has a
/// unit of its own, and J_ij is stored in the unit of i and in that of j.
///
///     sums of |J| of 3 and 2   ->   one unit of 2^-21
///     sums of 1e8 and 0.5      ->   units of 2^4 and 2^-23
///
/// A *dense* graph, in which at least a quarter of all pairs couple, keeps the order of the user's
/// spins and has rows of all couplings. All others have lists of neighbours.
class GraphGrid {
 public:
  /// Throws std::invalid_argument if a number is not finite, or a sum of |J| or a field is above
  /// 1e300. The arrays of the problem must live as long.
  explicit GraphGrid(const GraphProblem& problem);

  std::int64_t num_spins() const { return problem_.num_spins; }
  std::int64_t num_couplings() const { return problem_.num_couplings; }
  bool is_dense() const { return rows_.dense != nullptr; }
  /// The spin at each place.
  const std::vector<std::int32_t>& order() const { return order_; }
  /// The rows; gains are all 1 until they are set.
  const GraphRows& rows() const { return rows_; }
  void set_gains(const std::vector<float>& gains);
  const GivenCouplings& given() const { return given_; }
  /// The couplings of the spin at each place, as they were given. May be called by any thread.
  const CouplingLists& lists() const;

  /// sum_j |J_ij| and sum_j J_ij^2 of the spin at each place, in its unit.
  const float* sums() const { return sums_; }
  const float* squares() const { return squares_; }
  /// The exponent of the unit of the spin at each place, and the largest of them.
  const std::vector<int>& exponents() const { return exponents_; }
  int exponent() const { return exponent_; }
  double inverse_unit(std::int64_t place) const {
    return inverse_units_[static_cast<std::size_t>(place)];
  }
  bool has_one_unit() const { return has_one_unit_; }
  /// Whether a field may have a rounding error.
  bool is_rounded() const { return is_rounded_; }

 private:
  void allocate();
  void order_spins(bool is_dense);
  void choose_units();
  void round_couplings();
  void round_fields();
  void fill_neighbours();
  void find_runs();
  void fill_dense_rows();

  GraphProblem problem_;
  std::vector<std::int32_t> order_, places_;  ///< places of both spins of each coupling
  mutable CouplingLists lists_;
  mutable std::once_flag lists_are_made_;
  std::vector<double> fields_;  ///< by place
  std::vector<int> exponents_;
  std::vector<double> inverse_units_;
  int exponent_ = 0;
  bool is_rounded_ = false, has_one_unit_ = true;
  std::vector<Neighbour> neighbours_, targets_;
  AlignedArray<float> memory_;  ///< of the arrays below, each padded
  float *own_fields_, *down_fields_, *gains_, *tolerances_, *sums_, *squares_;
  AlignedArray<float> dense_;
  std::vector<std::uint16_t> runs_;
  std::vector<std::int64_t> runs_begin_;
  GraphRows rows_;
  GivenCouplings given_;
};

}  // namespace isingprop
