/// The graph of a problem's couplings: neighbours, parts that share no coupling, and how strong the
/// couplings of each spin are together.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "chains/coupling_grid.h"
#include "chains/graph_couplings.h"

namespace isingprop {

/// The largest ratio of (sum_j J_ij^2)^(1/2) between the spins of an even part.
inline constexpr double kEvenRatio = 16.0;

/// Spins and their couplings. A spin is named by its place in arrays over all spins, see
/// CouplingGrid and GraphCouplings; squares are in the units of the spin.
///
/// The couplings of a spin i in a random state add up to sum_j J_ij^2 in square. Neighbours that
/// are held together by others add up in step, not at random, so that such a cluster freezes
/// earlier. The *coherence* c of a part is the mean sign of J_ik J_km J_ml J_li over its loops of
/// four spins:
///
///     a ferromagnet, or one in disguise: 1      a spin glass: about 0
///     J_ia = x_i y_a with a sign that is wrong with probability p:  (1 - 2 p)^4
///
/// - Where a part has two colours, and no spin has more than 8 neighbours, c is the mean over all
///   loops, of which each counts by its |J_ik J_il| / sum_j J_ij^2. Coherent squares are c^2 times
///   the sum of |J_ik J_il| over the pairs of neighbours of i that share another neighbour.
/// - In other parts, coherent squares are c^(1/2) (A_i^2 - S_i), A_i = sum_j |J_ij| and
///   S_i = sum_j J_ij^2: spins in step add up to (1 - 2 p) A_i. In a grid without zeros, c is
///   CouplingGrid::coherence(), and in one with zeros it is not looked for.
/// - On a graph, these parts are *wide*. There, c is found from the fields k_i of the couplings in
///   a state of low energy, which are (1 - 2 p) A_i, or about (2.5 S_i)^(1/2) in a spin glass.
///   Loops of three or five spins, which frustrate an antiferromagnet, need no rule of their own:
///
///     c^(1/2) = sum_i (k_i^2 / S_i - 2.5) / sum_i (A_i^2 / S_i - 2.5), at least 0 and at most 1
class CouplingGraph {
 public:
  explicit CouplingGraph(const CouplingGrid& grid);
  /// Keeps the pointers, but no other reference to the couplings.
  explicit CouplingGraph(const GraphCouplings& couplings);
  CouplingGraph(const CouplingGraph&) = delete;

  /// All spins, the hidden ones of a grid first.
  const std::vector<std::int64_t>& spins() const { return spins_; }
  /// Whether a spin belongs to the hidden layer of a grid.
  bool is_hidden(std::int64_t spin) const { return spin < num_hidden_; }
  const GraphCouplings& couplings() const { return couplings_; }
  /// The spins that couple to a spin, in ascending order. They are not listed where a grid is one
  /// part.
  std::span<const std::int32_t> neighbours(std::int64_t spin) const {
    return {couplings_.others + first(spin), couplings_.others + first(spin + 1)};
  }

  /// Parts share no coupling with each other. They are numbered from 0.
  std::int64_t part(std::int64_t spin) const { return part_[static_cast<std::size_t>(spin)]; }
  std::int64_t num_parts() const { return static_cast<std::int64_t>(parts_.size()); }

  /// Whether the spins are those of a grid, and all spins of a part couple to all of its other
  /// layer.
  bool is_complete(std::int64_t part) const { return part_of(part).is_complete; }
  /// Whether spins have many neighbours, as in a complete part or a wide one of a graph, and some
  /// sum_j J_ij^2 is more than kEvenRatio^2 times another.
  bool is_uneven(std::int64_t part) const { return part_of(part).is_uneven(); }

  /// What coherent neighbours add to sum_j J_ij^2.
  double coherent_squares(std::int64_t spin) const {
    return coherent_squares_[static_cast<std::size_t>(spin)];
  }

 private:
  struct Part {
    std::int64_t num_hidden = 0, num_output = 0, num_couplings = 0, most_neighbours = 0;
    bool has_two_colours = true;
    bool is_complete = false;
    bool is_narrow = false;  ///< whether loops of four spins are looked for
    bool is_wide = false;    ///< whether a state of low energy is looked for
    /// log2 of sum_j J_ij^2 in the largest unit.
    double least_square = std::numeric_limits<double>::infinity(), largest_square = -least_square;
    bool is_uneven() const;
  };
  struct Coupling {
    std::int64_t hidden, output;
    float of_hidden, of_output;  ///< J in the units of either spin
  };
  /// What couplings_ points to, if the spins are those of a grid.
  struct Lists {
    std::vector<std::int64_t> first;
    std::vector<std::int32_t> others;
    std::vector<float> couplings;
    std::vector<int> exponents;
  };
  struct Loops {
    double count = 0.0, signs = 0.0;
  };

  std::int64_t first(std::int64_t spin) const { return couplings_.first[spin]; }
  std::int64_t degree(std::int64_t spin) const { return first(spin + 1) - first(spin); }
  const Part& part_of(std::int64_t part) const { return parts_[static_cast<std::size_t>(part)]; }
  static std::vector<Coupling> list_couplings(const CouplingGrid& grid);
  void list_neighbours(const CouplingGrid& grid);
  void find_parts();
  void measure_parts(bool is_grid);
  void find_loops();
  Loops loops(std::int64_t k, std::int64_t l, std::int64_t without) const;
  void find_order();
  std::vector<std::int8_t> low_state() const;
  double field(std::int64_t spin, const std::vector<std::int8_t>& state) const;
  void add_in_step(std::int64_t spin, double order);

  Lists lists_;
  GraphCouplings couplings_;
  std::int64_t num_hidden_ = 0;
  std::vector<std::int64_t> spins_, part_;
  std::vector<double> coherent_squares_;
  std::vector<Part> parts_;
};

}  // namespace isingprop
