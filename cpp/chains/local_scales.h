/// The temperatures at which the spins of a problem freeze, from their local fields.
///
/// Samplers take inverse temperatures relative to a problem: at 0.88 / f a spin moves freely, and
/// at 8.8 / q it is frozen. f and q are its local scales, f with fields and q of the couplings
/// alone. They are root mean squares over a random state, of the spin and those that it couples to:
///
///     f_i^2 = mean of h_j^2 + J_j^2,   q_i^2 = mean of J_j^2,   over j = i and the neighbours of i
///     J_j^2 = sum_k J_jk^2, and more where neighbours are coherent (see CouplingGraph)
///
/// Coherence counts in a part whose fields are not stronger than its couplings, sum h^2 <= sum J^2:
/// else the fields tell a cluster where to go. Where all spins couple to all of the other layer, or
/// in a wide part of a graph (see CouplingGraph), and some J_i differ by more than a factor of 16,
/// each f_i and q_i is that of spin i alone: one strong coupling would otherwise count for all.
///
/// Pinned spins, |h_i| > sum_j |J_ij|, end at -sign(h_i) whatever the others do. They do not count.
/// Where |h_i| nearly cancels sum_j |J_ij|, as with the penalties of constraints, the spin has
/// still to choose in a field of m_i = sum_j |J_ij| - |h_i|, and 3 m_i takes the place of a larger
/// q_i (but at most 1000 times; and not in a complete part without such differences, where a few
/// such spins do not count).
///
/// - Parts of the problem that share no coupling are independent. Each has a scale of its own, the
///   geometric mean G of its f, and is sampled at beta / G: the *reduced* beta is the same for all.
/// - Where neither the f / G nor the q / G differ by more than a factor of 4, the problem has one
///   scale of each kind, F^2 = mean of (h_i^2 + J_i^2) / G^2 and Q^2 = mean of J_i^2 / G^2, and log
///   beta grows in proportion to log(relative), from 0.88 / F to 8.8 / Q.
/// - Where all spins of a part couple to all of its other layer, as in the paper's network, log
///   beta grows from 0.88 / F to 8.8 / F as long as F < 3 Q. Chains sees this without a look at
///   each f.
/// - Otherwise sweeps are shared out. Spin i is active between 0.88 / f_i and 8.8 / q_i, and should
///   get the same share of the sweeps as any other, in equal steps of log beta. So the share of the
///   sweeps below beta is the mean over spins of the part of their window below beta:
///
///       u(beta) = sum_i w_i clip((log beta - log(0.88 / f_i) + e L_i) / L_i, 0, 1) / sum_i w_i
///       relative = 0.88 * 10^((u - e) / (1 - 2 e))
///       L_i = log(10 f_i / q_i) / (1 - 2 e),   e = 0.05
///
///   The weights w_i are (f_i / G)^(1/2), at least 1/2 and at most 2: with 1 for all, more sweeps
///   would go to spins that hardly change the energy, and with f_i / G weak spins would never cool.
///   5 % of the sweeps at either end are left out, and the windows are wider in return, so that a
///   few strong or weak spins do not stretch the range.
///
///     a lattice of f = q = 100, joined by one bond of 1 to a lattice of f = q = 1 and of its size:
///     of the sweeps, four fifths between 0.88 / 100 and 8.8 / 100, one fifth between 0.88 and 8.8
///
/// The rule and its constants were found with bench/strangers.py. On a graph that is no grid, the
/// rules for complete parts do not apply.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "chains/coupling_graph.h"
#include "chains/coupling_grid.h"
#include "chains/graph_couplings.h"

namespace isingprop {

/// The largest ratio of local scales that still counts as one scale.
inline constexpr double kOneScaleRatio = 4.0;
/// The largest F / Q at which Q does not count where all spins couple to all.
inline constexpr double kLargestStretch = 3.0;

class LocalScales {
 public:
  explicit LocalScales(const CouplingGrid& grid);
  /// Keeps the pointers, but no other reference to the couplings.
  explicit LocalScales(const GraphCouplings& couplings);

  /// Finds the scales of a problem with these fields of all spins, in their units.
  void load(const float* fields);

  /// Returns the reduced inverse temperature.
  double reduced(double relative) const;
  /// Returns log2 of G of the part that a spin belongs to, in the largest unit of the
  /// couplings.
  double log2_scale(std::int64_t spin) const {
    return scales_[static_cast<std::size_t>(graph_.part(spin))];
  }
  /// Returns the mean of log2 of G over the spins that are not pinned.
  double mean_log2_scale() const { return mean_scale_; }

 private:
  /// Sums over spins of h_i^2 + J_i^2 and of J_i^2.
  struct Squares {
    double fields = 0.0, couplings = 0.0, count = 0.0;
    void add(const Squares& other, int shift);
  };
  /// The window of a spin that is not pinned, as log2 of the reduced beta.
  struct Window {
    double begin, end, weight;
  };

  /// Returns log2 of the unit of a spin over the largest one.
  int log_unit(std::int64_t spin) const { return couplings_.exponents[spin] - couplings_.exponent; }
  static int shift(int from, int to);
  Squares squares_of(std::int64_t spin) const {
    return {squares_[static_cast<std::size_t>(spin)],
            coupling_squares_[static_cast<std::size_t>(spin)], 1.0};
  }
  void prepare();
  void find_free_spins(const float* fields);
  void find_log_fields();
  void find_layer_sums();
  void end_at_margins(const float* fields);
  void find_part_scales(const float* fields);
  bool find_one_scale();
  std::vector<Window> windows() const;
  void share_out(const std::vector<Window>& windows);
  double log_beta_at(double share) const;

  const CouplingGraph graph_;
  const GraphCouplings& couplings_;
  bool all_complete_ = true;                        ///< whether all parts are
  std::vector<double> squares_, coupling_squares_;  ///< h_i^2 + J_i^2 and J_i^2, in units of i
  std::vector<std::int64_t> free_;                  ///< the spins that count
  std::vector<char> is_free_;
  std::vector<Squares> layer_sums_;
  std::vector<int> part_units_;                     ///< log_unit of the layer sums of each part
  std::vector<double> log_fields_, log_couplings_;  ///< log2 of f_i and of q_i, in the largest unit
  std::vector<double> scales_;                      ///< log2 of G of each part
  double mean_scale_ = 0.0;
  bool has_one_scale_ = false;
  double log_hot_ = 0.0, log_cold_ = 0.0;   ///< log2 of 1 / F and of 1 / Q
  std::vector<double> shares_, log_betas_;  ///< u at the ends of windows, and log2 of the betas
};

inline constexpr double kTwoOverLn2 = 2.8853900817779268;

/// Gains of spins turn the slope of a chain into that of a spin, whose unit or scale differs.
struct Gains {
  double unit;        ///< the slope of a chain over 2 beta / ln 2
  double log2_least;  ///< log2 of the smallest gain, at most 0
};

/// Writes the gain of each of the given spins, 2^log_gain times a common factor: the largest gain
/// is 1, or less where the slope would be too large at the largest inverse temperature.
///
/// `exponent` is that of the unit in which slopes are.
Gains find_gains(const std::vector<std::int64_t>& spins,
                 const std::function<double(std::int64_t)>& log_gain, int exponent, double largest,
                 float* gains);

}  // namespace isingprop
