/// The order in which a sweep visits the spins of a graph.
///
/// Spins of one colour do not couple to each other, and come together. The colours are the lowest
/// that are free, given out in a search from one spin to its neighbours, so that a graph that has
/// two colours gets two (a sweep is then a checkerboard), and so that neighbours are close to each
/// other in memory:
///
///     a ring of five:  0 - 1 - 2 - 3 - 4 - 0   ->   colours 0 1 0 2 1   ->   order 0 2, 1 4, 3
///
/// Within a colour, spins with as many neighbours come together, since a processor foresees the end
/// of a loop that is as long as the one before.
#pragma once

#include <cstdint>
#include <vector>

#include "graphs/graph_problem.h"

namespace isingprop {

/// The couplings of each spin that are not 0.
struct CouplingLists {
  std::vector<std::int64_t> first;   ///< (num_spins + 1): where the list of each spin begins
  std::vector<std::int32_t> others;  ///< the other spin of each
  std::vector<double> couplings;     ///< J

  std::int64_t num_spins() const { return static_cast<std::int64_t>(first.size()) - 1; }
  std::int64_t degree(std::int32_t spin) const {
    const auto k = static_cast<std::size_t>(spin);
    return first[k + 1] - first[k];
  }
};

/// Returns the lists of a problem, each in the order of the problem's couplings.
CouplingLists list_couplings(const GraphProblem& problem);

/// Returns the lists with spin order[k] renamed to k, each in ascending order.
CouplingLists sorted(const CouplingLists& lists, const std::vector<std::int32_t>& order);

/// Returns the spins in the order of a sweep.
std::vector<std::int32_t> sweep_order(const CouplingLists& lists);

}  // namespace isingprop
