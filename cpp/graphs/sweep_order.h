/// The order in which a sweep visits the spins of a graph.
///
/// Spins of one colour do not couple to each other, and come together. The colours are the lowest
/// that are free, given out in a search from one spin to its neighbours, so that a graph that has
/// two colours gets two (a sweep is then a checkerboard), and so that neighbours are close to each
/// other in memory:
///
///     a ring of five:  0 - 1 - 2 - 3 - 4 - 0   ->   colours 0 1 0 2 1   ->   order 0 2, 1 4, 3
///
/// A dense graph has nearly as many colours as spins, and keeps its order.
#pragma once

#include <cstdint>
#include <vector>

#include "graphs/graph_problem.h"

namespace isingprop {

/// The other spin of each coupling that is not 0, spin by spin, and the coupling.
struct Adjacency {
  explicit Adjacency(const GraphProblem& problem);

  std::int64_t degree(std::int32_t spin) const {
    const auto k = static_cast<std::size_t>(spin);
    return first[k + 1] - first[k];
  }

  std::vector<std::int64_t> first;  ///< (num_spins + 1)
  std::vector<std::int32_t> others;
  std::vector<double> couplings;
};

/// Whether rows of all couplings are worth their memory: at least a quarter of all pairs couple.
bool is_dense(std::int64_t num_spins, const Adjacency& adjacency);

/// Returns the spins in the order of a sweep.
std::vector<std::int32_t> sweep_order(std::int64_t num_spins, const Adjacency& adjacency);

}  // namespace isingprop
