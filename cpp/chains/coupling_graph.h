/// The graph of a problem's couplings: neighbours, parts that share no coupling, and how strong the
/// couplings of each spin are together.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "chains/coupling_grid.h"

namespace isingprop {

/// The largest ratio of (sum_j J_ij^2)^(1/2) between the spins of an even part.
inline constexpr double kEvenRatio = 16.0;

/// Spins and their couplings. A spin is named by its place in arrays over all spins, see
/// CouplingGrid; squares are in the units of the spin.
///
/// The couplings of a spin i in a random state add up to sum_j J_ij^2 in square. Neighbours that
/// are held together by others add up in step, not at random, so that such a cluster freezes
/// earlier. The *coherence* c of a part is the mean sign of J_ik J_km J_ml J_li over its loops of
/// four spins:
///
///     a ferromagnet, or one in disguise: 1      a spin glass: about 0
///     J_ia = x_i y_a with a sign that is wrong with probability p:  (1 - 2 p)^4
///
/// - Where no spin has more than 8 neighbours, c is the mean over all loops, of which each counts
/// by
///   its |J_ik J_il| / sum_j J_ij^2. Coherent squares are c^2 times the sum of |J_ik J_il| over the
///   pairs of neighbours of i that have another neighbour in common.
/// - In a problem without zeros it is CouplingGrid::coherence(). Coherent squares are
///   c^(1/2) ((sum_j |J_ij|)^2 - sum_j J_ij^2): spins in step add up to (1 - 2 p) sum_j |J_ij|.
/// - Elsewhere it is not looked for.
class CouplingGraph {
 public:
  explicit CouplingGraph(const CouplingGrid& grid);

  /// All spins, hidden first.
  const std::vector<std::int64_t>& spins() const { return spins_; }
  /// The spins that couple to a spin, in ascending order. They are not listed where the grid is one
  /// part.
  std::span<const std::int64_t> neighbours(std::int64_t spin) const {
    return {neighbours_.data() + first(spin), neighbours_.data() + first(spin + 1)};
  }

  /// Parts share no coupling with each other. They are numbered from 0.
  std::int64_t part(std::int64_t spin) const { return part_[static_cast<std::size_t>(spin)]; }
  std::int64_t num_parts() const { return static_cast<std::int64_t>(parts_.size()); }

  /// Whether all spins of a part couple to all of its other layer.
  bool is_complete(std::int64_t part) const { return part_of(part).is_complete(); }
  /// Whether they do, and some sum_j J_ij^2 is more than kEvenRatio^2 times another.
  bool is_uneven(std::int64_t part) const { return part_of(part).is_uneven(); }

  /// What coherent neighbours add to sum_j J_ij^2.
  double coherent_squares(std::int64_t spin) const {
    return coherent_squares_[static_cast<std::size_t>(spin)];
  }

 private:
  struct Part {
    std::int64_t num_hidden = 0, num_output = 0, num_couplings = 0, most_neighbours = 0;
    /// log2 of sum_j J_ij^2 in the largest unit, of complete parts.
    double least_square = std::numeric_limits<double>::infinity(), largest_square = -least_square;
    bool is_complete() const { return num_couplings == num_hidden * num_output; }
    bool is_uneven() const;
  };
  struct Coupling {
    std::int64_t hidden, output;
    float of_hidden, of_output;  ///< J in the units of either spin
  };
  struct Loops {
    double count = 0.0, signs = 0.0;
  };

  std::int64_t first(std::int64_t spin) const { return first_[static_cast<std::size_t>(spin)]; }
  std::int64_t degree(std::int64_t spin) const { return first(spin + 1) - first(spin); }
  const Part& part_of(std::int64_t part) const { return parts_[static_cast<std::size_t>(part)]; }
  std::vector<Coupling> list_couplings() const;
  void find_neighbours();
  void find_parts();
  void measure_parts();
  bool is_narrow(std::int64_t spin) const;
  void find_coherence_of_narrow_parts();
  void take_coherence_of_grid();
  Loops loops(std::int64_t k, std::int64_t l, std::int64_t without) const;

  const CouplingGrid& grid_;
  std::vector<std::int64_t> spins_, first_, neighbours_, part_;
  std::vector<float> couplings_;  ///< J_ij of each neighbour j, in the units of spin i
  std::vector<double> coherent_squares_;
  std::vector<Part> parts_;
};

}  // namespace isingprop
