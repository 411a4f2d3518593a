#include "graphs/sweep_order.h"

#include <algorithm>
#include <numeric>

namespace isingprop {
namespace {

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

/// Returns all spins, neighbours soon after each other. Each search begins at a spin with few of
/// them.
std::vector<std::int32_t> search(const CouplingLists& lists) {
  std::vector<std::int32_t> roots(index(lists.num_spins())), found;
  std::iota(roots.begin(), roots.end(), 0);
  std::stable_sort(roots.begin(), roots.end(), [&](std::int32_t u, std::int32_t v) {
    return lists.degree(u) < lists.degree(v);
  });

  std::vector<char> is_found(roots.size());
  found.reserve(roots.size());
  const auto add = [&](std::int32_t spin) {
    if (!is_found[index(spin)]) found.push_back(spin);
    is_found[index(spin)] = 1;
  };
  std::size_t next = 0;
  for (const std::int32_t root : roots) {
    add(root);
    for (; next < found.size(); ++next) {
      const std::size_t spin = index(found[next]);
      for (std::int64_t k = lists.first[spin]; k < lists.first[spin + 1]; ++k) {
        add(lists.others[index(k)]);
      }
    }
  }
  return found;
}

/// Returns the colour of each spin: the lowest that no neighbour has which was found before it.
std::vector<std::int32_t> colours_of(const CouplingLists& lists,
                                     const std::vector<std::int32_t>& found) {
  std::vector<std::int32_t> colours(found.size(), -1);
  std::vector<std::int32_t> taken(found.size() + 1, -1);  // by colour: the last spin that saw it
  for (const std::int32_t spin : found) {
    for (std::int64_t k = lists.first[index(spin)]; k < lists.first[index(spin) + 1]; ++k) {
      const std::int32_t colour = colours[index(lists.others[index(k)])];
      if (colour >= 0) taken[index(colour)] = spin;
    }
    std::int32_t free = 0;
    while (taken[index(free)] == spin) ++free;
    colours[index(spin)] = free;
  }
  return colours;
}

}  // namespace

CouplingLists list_couplings(const GraphProblem& problem) {
  CouplingLists lists;
  lists.first.assign(index(problem.num_spins) + 1, 0);
  for (std::int64_t k = 0; k < problem.num_couplings; ++k) {
    if (problem.couplings[k] == 0.0) continue;
    ++lists.first[index(problem.ends[2 * k]) + 1];
    ++lists.first[index(problem.ends[2 * k + 1]) + 1];
  }
  std::partial_sum(lists.first.begin(), lists.first.end(), lists.first.begin());

  lists.others.resize(index(lists.first.back()));
  lists.couplings.resize(lists.others.size());
  std::vector<std::int64_t> next(lists.first.begin(), lists.first.end() - 1);
  for (std::int64_t k = 0; k < problem.num_couplings; ++k) {
    if (problem.couplings[k] == 0.0) continue;
    const std::int64_t u = problem.ends[2 * k], v = problem.ends[2 * k + 1];
    const std::size_t of_u = index(next[index(u)]++), of_v = index(next[index(v)]++);
    lists.others[of_u] = static_cast<std::int32_t>(v);
    lists.others[of_v] = static_cast<std::int32_t>(u);
    lists.couplings[of_u] = lists.couplings[of_v] = problem.couplings[k];
  }
  return lists;
}

CouplingLists sorted(const CouplingLists& lists, const std::vector<std::int32_t>& order) {
  CouplingLists result;
  std::vector<std::int32_t> places(order.size());
  result.first.assign(order.size() + 1, 0);
  for (std::size_t place = 0; place < order.size(); ++place) {
    places[index(order[place])] = static_cast<std::int32_t>(place);
    result.first[place + 1] = result.first[place] + lists.degree(order[place]);
  }

  // Visiting the places in order, each is appended to the lists of its neighbours.
  result.others.resize(lists.others.size());
  result.couplings.resize(lists.others.size());
  std::vector<std::int64_t> next(result.first.begin(), result.first.end() - 1);
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t spin = index(order[place]);
    for (std::int64_t k = lists.first[spin]; k < lists.first[spin + 1]; ++k) {
      const std::size_t at = index(next[index(places[index(lists.others[index(k)])])]++);
      result.others[at] = static_cast<std::int32_t>(place);
      result.couplings[at] = lists.couplings[index(k)];
    }
  }
  return result;
}

std::vector<std::int32_t> sweep_order(const CouplingLists& lists) {
  std::vector<std::int32_t> order = search(lists);
  const std::vector<std::int32_t> colours = colours_of(lists, order);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t u, std::int32_t v) {
    if (colours[index(u)] != colours[index(v)]) return colours[index(u)] < colours[index(v)];
    return lists.degree(u) < lists.degree(v);
  });
  return order;
}

}  // namespace isingprop
