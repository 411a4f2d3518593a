/// The graph of a problem's couplings: neighbours, parts that share no coupling, and how strong the
/// couplings of each spin are together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chains/coupling_grid.h"

namespace isingprop {

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
  /// The spins that couple to a spin, in ascending order.
  std::span<const std::int64_t> neighbours(std::int64_t spin) const {
    return {neighbours_.data() + first(spin), neighbours_.data() + first(spin + 1)};
  }

  /// Parts share no coupling with each other. They are numbered from 0.
  std::int64_t part(std::int64_t spin) const { return part_[static_cast<std::size_t>(spin)]; }
  std::int64_t num_parts() const { return num_parts_; }

  /// Whether in each part all spins couple to all of the other layer.
  bool is_complete() const { return is_complete_; }

  /// sum_j J_ij^2.
  double squares(std::int64_t spin) const { return squares_[static_cast<std::size_t>(spin)]; }
  /// What coherent neighbours add to it.
  double coherent_squares(std::int64_t spin) const {
    return coherent_squares_[static_cast<std::size_t>(spin)];
  }

 private:
  struct Loops {
    double count = 0.0, signs = 0.0;
  };

  std::int64_t first(std::int64_t spin) const { return first_[static_cast<std::size_t>(spin)]; }
  std::int64_t degree(std::int64_t spin) const { return first(spin + 1) - first(spin); }
  template <class Visit>
  void for_each_coupling(const Visit& visit) const;
  void find_neighbours();
  void find_parts();
  std::vector<char> find_narrow_parts();
  void find_coherence_of_narrow_parts(const std::vector<char>& is_narrow);
  void take_coherence_of_grid();
  Loops loops(std::int64_t k, std::int64_t l, std::int64_t without) const;

  const CouplingGrid& grid_;
  std::vector<std::int64_t> spins_, first_, neighbours_, part_;
  std::vector<float> couplings_;  ///< J_ij of each neighbour j, in the units of spin i
  std::vector<double> squares_, coherent_squares_;
  std::int64_t num_parts_ = 0;
  bool is_complete_ = true;
};

}  // namespace isingprop
