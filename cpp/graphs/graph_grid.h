/// The couplings of a problem on any graph in the form that the kernels need.
#pragma once

#include <cstdint>
#include <vector>

#include "graphs/graph_problem.h"
#include "graphs/sweep_order.h"
#include "kernels/graph/given_rows.h"
#include "kernels/graph/graph_rows.h"
#include "kernels/graph/quanta_rows.h"
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
class GraphGrid {
 public:
  /// Throws std::invalid_argument if a number is not finite, or a sum of |J| or a field is above
  /// 1e300.
  explicit GraphGrid(const GraphProblem& problem);

  std::int64_t num_spins() const { return given_.num_spins; }
  /// The spin at each place.
  const std::vector<std::int32_t>& order() const { return order_; }
  /// The rows; gains are all 1 until they are set.
  const GraphRows& rows() const { return rows_; }
  void set_gains(const std::vector<float>& gains);
  const GivenRows& given() const { return given_; }
  /// The rows for bytes, or null where fields are not small multiples of one quantum.
  const QuantaRows* quanta() const { return has_quanta_ && !rows_.has_gains ? &quanta_ : nullptr; }
  /// Fills the tables of a sweep at a slope, kLargestTables bytes.
  void fill_tables(float slope, std::uint8_t* tables) const;

  /// sum_j |J_ij| and sum_j J_ij^2 of the spin at each place, in its unit.
  const float* sums() const { return sums_; }
  const float* squares() const { return squares_; }
  /// J_ij in the unit of spin i, beside GraphRows::neighbours.
  const std::vector<float>& couplings() const { return own_couplings_; }
  const std::vector<std::int32_t>& others() const { return others_; }
  /// The exponent of the unit of the spin at each place, and the largest of them.
  const std::vector<int>& exponents() const { return exponents_; }
  int exponent() const { return exponent_; }
  /// Whether a field may have a rounding error.
  bool is_rounded() const { return is_rounded_; }

 private:
  void sort_couplings(const GraphProblem& problem, const Adjacency& adjacency);
  void choose_units();
  void round_couplings();
  void round_fields();
  void find_runs();
  void fill_dense_rows();
  void find_quanta();

  std::vector<std::int32_t> order_;
  std::vector<std::int64_t> first_, later_;
  std::vector<std::int32_t> others_;  ///< places
  std::vector<double> given_couplings_, given_fields_;
  std::vector<int> exponents_;
  std::vector<double> inverse_units_;
  int exponent_ = 0;
  bool is_dense_ = false, is_rounded_ = false, has_one_unit_ = true;
  std::vector<float> own_couplings_;
  std::vector<Neighbour> neighbours_, targets_;
  AlignedArray<float> memory_;  ///< of the arrays below, each padded
  float *own_fields_, *down_fields_, *gains_, *tolerances_, *sums_, *squares_;
  AlignedArray<float> dense_;
  std::vector<std::uint16_t> runs_;
  std::vector<std::int64_t> runs_begin_;
  bool has_quanta_ = false;
  double quantum_ = 0.0;  ///< in units
  std::vector<QuantaNeighbour> quanta_neighbours_;
  std::vector<std::int8_t> base_;
  std::vector<std::uint8_t> parity_;
  QuantaRows quanta_;
  GraphRows rows_;
  GivenRows given_;
};

}  // namespace isingprop
