/// What the inverse temperatures of a sampler mean for a problem on a graph.
#pragma once

#include <memory>
#include <vector>

#include "chains/chains.h"
#include "chains/local_scales.h"
#include "graphs/graph_grid.h"

namespace isingprop {

/// Slopes of the kernels from inverse temperatures, which are relative to the problem as in
/// local_scales.h, or in 1 / (unit of J).
class GraphTemperatures {
 public:
  /// Sets the gains of the grid, which must live as long.
  GraphTemperatures(GraphGrid& grid, BetaUnit unit);

  /// Returns 2 beta / ln 2 in the units of the grid, for beta >= 0 or infinite.
  float slope(double beta) const;
  /// Returns a relative beta in 1 / (unit of J). Where parts of the problem share no coupling, this
  /// is the geometric mean over spins.
  double absolute(double relative);
  /// Returns the beta of a sampler in 1 / (unit of J).
  double in_users_unit(double beta) { return unit_.relative ? absolute(beta) : beta; }
  /// Returns whether spins are frozen at a beta of the sampler: at a relative beta of `cold`, or at
  /// cold / F, where F^2 is the mean of h_i^2 + sum_j J_ij^2 over the spins on which anything acts.
  bool is_cold(double beta, double cold) const;
  /// Returns log2 of the smallest gain of a spin on which anything acts, at most 0.
  double log2_least_gain() const { return gains_.log2_least; }

 private:
  LocalScales& local_scales();

  const GraphGrid& grid_;
  BetaUnit unit_;
  /// Made when first needed. The scales look at the couplings, which are in units of the spins.
  std::shared_ptr<std::vector<float>> couplings_;
  std::shared_ptr<LocalScales> scales_;
  Gains gains_;
};

}  // namespace isingprop
