/// The temperatures at which the spins of a problem freeze, from their local fields.
///
/// Samplers take inverse temperatures relative to a problem: at 0.88 / f a spin moves freely, and
/// at 8.8 / f it is frozen, where f is its local scale. f is the root mean square of the local
/// fields of a random state, over the spin and those that it couples to:
///
///     f_i^2 = mean of (h_j^2 + sum_k J_jk^2) over j = i and the neighbours j of i
///
/// Neighbours that are held together by others add up in step, not at random, so that such a
/// cluster freezes earlier. sum_k J_jk^2 is therefore raised by c^2 times the sum of |J_jk J_jl|
/// over neighbours k and l of j that have another neighbour m in common, where c is the mean, at
/// least 0, of the sign of J_jk J_km J_ml J_lj over all these loops of the part (below): 1 in a
/// lattice of ferromagnetic cells, and about 0 in a spin glass. This is for sparse parts only: not
/// where all spins couple to all of the other layer, nor for spins of more than 32 neighbours.
///
/// Pinned spins, |h_i| > sum_j |J_ij|, end at -sign(h_i) whatever the others do. They do not count.
///
/// - Parts of the problem that share no coupling are independent. Each has a scale of its own, the
///   geometric mean G of its f, and is sampled at beta / G: the *reduced* beta is the same for all.
/// - Where no two f / G differ by more than a factor of 4, the problem has one scale,
///   F = rms(h_i^2 + sum_j J_ij^2) / G^2)^(1/2), and the reduced beta is relative / F.
/// - Otherwise sweeps are shared out. Spin i is active between 0.88 / f_i and 8.8 / f_i, and should
///   get the same share of the sweeps as any other, in equal steps of log beta. So the share of the
///   sweeps below beta is the mean over spins of the part of their window below beta:
///
///       u(beta) = sum_i w_i clip((log beta - log(0.88 / f_i) + e L) / L, 0, 1) / sum_i w_i
///       relative = 0.88 * 10^((u - e) / (1 - 2 e)),   L = log(10) / (1 - 2 e),   e = 0.05
///
///   The weights w_i are sqrt(f_i / G), at least 1/2 and at most 2: with 1 for all, more sweeps
///   would go to spins that hardly change the energy, and with f_i / G weak spins would never cool.
///   5 % of the sweeps at either end are left out, and the windows are wider in return, so that a
///   few strong or weak spins do not stretch the range.
///
///     100 spins of f = 100, joined by a weak bond to 100 spins of f = 1:
///     of the sweeps, four fifths between 0.88 / 100 and 8.8 / 100, one fifth between 0.88 and 8.8
///
/// The rule and its constants come from bench/strangers.py.
#pragma once

#include <cstdint>
#include <vector>

#include "chains/coupling_grid.h"

namespace isingprop {

/// The largest ratio of local scales that still counts as one scale.
inline constexpr double kOneScaleRatio = 4.0;

class LocalScales {
 public:
  /// Finds the neighbours of each spin and the parts that share no coupling.
  explicit LocalScales(const CouplingGrid& grid);

  /// Finds the scales of a problem with these fields of all spins, in their units.
  void load(const float* fields);

  /// Returns the reduced inverse temperature.
  double reduced(double relative) const;
  /// Returns log2 of G of the part that a spin belongs to, in the largest unit of the grid.
  double log2_scale(std::int64_t at) const { return scales_[static_cast<std::size_t>(part_[at])]; }
  /// Returns the mean of log2 of G over the spins that are not pinned.
  double mean_log2_scale() const { return mean_scale_; }

 private:
  /// Returns log2 of the unit of a spin over the largest one.
  int log_unit(std::int64_t at) const { return grid_.exponent(at) - grid_.exponent(); }
  void find_neighbours();
  void find_parts();
  struct Loops {
    double count = 0.0, signs = 0.0;
  };
  Loops loops(std::int64_t k, std::int64_t l, std::int64_t without) const;
  std::vector<char> complete_parts() const;
  void add_coherent_pairs();
  void find_free_spins(const float* fields);
  void find_log_fields();
  void find_part_scales(const float* fields);
  void find_windows();

  const CouplingGrid& grid_;
  std::vector<std::int64_t> spins_;  ///< where each spin is in arrays over all spins
  std::vector<std::int64_t> first_neighbour_, neighbours_;  ///< in ascending order
  std::vector<float> couplings_;          ///< J_ij of each neighbour j, in the units of spin i
  std::vector<std::int64_t> part_;        ///< of each spin
  std::vector<double> coupling_squares_;  ///< sum_j J_ij^2 and more, in the units of the spin
  std::vector<double> squares_;           ///< h_i^2 + coupling_squares_
  std::vector<char> is_free_;             ///< whether a spin counts
  std::vector<double> log_fields_;        ///< log2 of f_i, in the largest unit of the grid
  std::vector<double> scales_;            ///< log2 of G of each part
  double mean_scale_ = 0.0;
  double one_scale_ = 1.0;                  ///< F, or 0 where there are many scales
  std::vector<double> shares_, log_betas_;  ///< u at the ends of the windows, as log2 of beta rises
};

}  // namespace isingprop
