#include "graphs/sweep_order.h"

#include <algorithm>
#include <numeric>

namespace isingprop {
namespace {

/// Rows of all couplings are made for at most this many spins, whose rows take 256 MB.
constexpr std::int64_t kMostDenseSpins = 8192;
/// The least part of the pairs that couple in a dense graph, as 1 / kDensePart.
constexpr std::int64_t kDensePart = 4;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

/// Returns all spins, neighbours soon after each other: each search begins at a spin with few of
/// them.
std::vector<std::int32_t> search(std::int64_t num_spins, const Adjacency& adjacency) {
  std::vector<std::int32_t> roots(index(num_spins)), found;
  std::iota(roots.begin(), roots.end(), 0);
  std::stable_sort(roots.begin(), roots.end(), [&](std::int32_t u, std::int32_t v) {
    return adjacency.degree(u) < adjacency.degree(v);
  });

  std::vector<char> is_found(index(num_spins));
  found.reserve(index(num_spins));
  const auto add = [&](std::int32_t spin) {
    if (!is_found[index(spin)]) found.push_back(spin);
    is_found[index(spin)] = 1;
  };
  std::size_t next = 0;
  for (const std::int32_t root : roots) {
    add(root);
    for (; next < found.size(); ++next) {
      const std::size_t spin = index(found[next]);
      for (std::int64_t k = adjacency.first[spin]; k < adjacency.first[spin + 1]; ++k) {
        add(adjacency.others[index(k)]);
      }
    }
  }
  return found;
}

}  // namespace

Adjacency::Adjacency(const GraphProblem& problem) : first(index(problem.num_spins) + 1) {
  const auto for_each_end = [&](const auto& visit) {
    for (std::int64_t k = 0; k < problem.num_couplings; ++k) {
      if (problem.couplings[k] == 0.0) continue;
      visit(problem.ends[2 * k], problem.ends[2 * k + 1], problem.couplings[k]);
      visit(problem.ends[2 * k + 1], problem.ends[2 * k], problem.couplings[k]);
    }
  };
  for_each_end([&](std::int64_t u, std::int64_t, double) { ++first[index(u) + 1]; });
  std::partial_sum(first.begin(), first.end(), first.begin());

  others.resize(index(first.back()));
  couplings.resize(others.size());
  std::vector<std::int64_t> next(first.begin(), first.end() - 1);
  for_each_end([&](std::int64_t u, std::int64_t v, double coupling) {
    const std::size_t at = index(next[index(u)]++);
    others[at] = static_cast<std::int32_t>(v);
    couplings[at] = coupling;
  });
}

bool is_dense(std::int64_t num_spins, const Adjacency& adjacency) {
  const auto num_ends = static_cast<std::int64_t>(adjacency.others.size());
  return num_spins > kDensePart && num_spins <= kMostDenseSpins &&
         kDensePart * num_ends >= num_spins * (num_spins - 1);
}

std::vector<std::int32_t> sweep_order(std::int64_t num_spins, const Adjacency& adjacency) {
  std::vector<std::int32_t> order(index(num_spins));
  std::iota(order.begin(), order.end(), 0);
  if (is_dense(num_spins, adjacency)) return order;

  const std::vector<std::int32_t> found = search(num_spins, adjacency);
  std::vector<std::int32_t> colours(index(num_spins), -1);
  std::vector<std::int32_t> taken(index(num_spins) + 1,
                                  -1);  // by colour: the last spin that saw it
  for (const std::int32_t spin : found) {
    for (std::int64_t k = adjacency.first[index(spin)]; k < adjacency.first[index(spin) + 1]; ++k) {
      const std::int32_t colour = colours[index(adjacency.others[index(k)])];
      if (colour >= 0) taken[index(colour)] = spin;
    }
    std::int32_t free = 0;
    while (taken[index(free)] == spin) ++free;
    colours[index(spin)] = free;
  }

  order = found;
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t u, std::int32_t v) {
    if (colours[index(u)] != colours[index(v)]) return colours[index(u)] < colours[index(v)];
    return adjacency.degree(u) < adjacency.degree(v);
  });
  return order;
}

}  // namespace isingprop
