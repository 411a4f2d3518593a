#include <set>

#include "support/graph_problems.h"

namespace isingprop::test {
namespace {

using Order = std::vector<std::int32_t>;

GraphInstance ring(std::int64_t num_spins) {
  GraphInstance graph{.name = "ring", .num_spins = num_spins};
  graph.fields.assign(size(num_spins), 0.0);
  graph.couplings.assign(size(num_spins), 1.0);
  for (std::int64_t u = 0; u < num_spins; ++u) {
    graph.ends.push_back(u);
    graph.ends.push_back((u + 1) % num_spins);
  }
  return graph;
}

/// Returns how many spins from `begin` on come before one that couples to one of them.
std::size_t length_of_run(const CouplingLists& lists, const Order& order, std::size_t begin) {
  std::set<std::int32_t> run;
  for (std::size_t place = begin; place < order.size(); ++place) {
    const std::size_t spin = size(order[place]);
    for (std::int64_t k = lists.first[spin]; k < lists.first[spin + 1]; ++k) {
      if (run.contains(lists.others[size(k)])) return place - begin;
    }
    run.insert(order[place]);
  }
  return order.size() - begin;
}

TEST_CASE("an order has every spin once") {
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    Order order = sweep_order(list_couplings(graph.problem()));
    std::sort(order.begin(), order.end());
    CHECK(order.size() == size(graph.num_spins));
    for (std::size_t k = 0; k < order.size(); ++k) CHECK(order[k] == static_cast<int>(k));
  }
}

TEST_CASE("a graph of two colours is swept as a checkerboard, an odd ring in three runs") {
  const CouplingLists even = list_couplings(ring(100).problem());
  const Order of_even = sweep_order(even);
  CHECK(length_of_run(even, of_even, 0) == 50);
  CHECK(length_of_run(even, of_even, 50) == 50);

  const CouplingLists odd = list_couplings(ring(101).problem());
  const Order of_odd = sweep_order(odd);
  CHECK(length_of_run(odd, of_odd, 0) == 50);
  CHECK(length_of_run(odd, of_odd, 50) == 50);
  CHECK(length_of_run(odd, of_odd, 100) == 1);
}

TEST_CASE("couplings of 0 do not count") {
  GraphInstance graph = ring(101);
  graph.couplings.back() = 0.0;
  const CouplingLists lists = list_couplings(graph.problem());
  CHECK(lists.others.size() == 200);
  CHECK(length_of_run(lists, sweep_order(lists), 0) == 51);
}

TEST_CASE("sorted lists name spins by their places, in ascending order") {
  const GraphInstance graph = random_graph("sparse", 75, 0.06, false);
  const CouplingLists lists = list_couplings(graph.problem());
  const Order order = sweep_order(lists);
  const CouplingLists by_place = sorted(lists, order);
  std::size_t couplings = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    CHECK(by_place.degree(static_cast<int>(place)) == lists.degree(order[place]));
    for (std::int64_t k = by_place.first[place]; k < by_place.first[place + 1]; ++k) {
      if (k > by_place.first[place]) CHECK(by_place.others[size(k)] > by_place.others[size(k - 1)]);
      const std::int64_t u = order[place], v = order[size(by_place.others[size(k)])];
      for (std::size_t e = 0; e < graph.couplings.size(); ++e) {
        const std::int64_t a = graph.ends[2 * e], b = graph.ends[2 * e + 1];
        if (std::min(a, b) != std::min(u, v) || std::max(a, b) != std::max(u, v)) continue;
        CHECK(by_place.couplings[size(k)] == graph.couplings[e]);
        ++couplings;
      }
    }
  }
  CHECK(couplings == 2 * graph.couplings.size());
}

}  // namespace
}  // namespace isingprop::test
