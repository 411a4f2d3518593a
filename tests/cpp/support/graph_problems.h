/// Problems on graphs, and a scalar twin of their samplers.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "graphs/graph_problem.h"
#include "graphs/sweep_order.h"
#include "support/common.h"
#include "support/scalar_chain.h"

namespace isingprop::test {

/// A problem that owns its arrays.
struct GraphInstance {
  std::string name;
  std::int64_t num_spins;
  std::vector<std::int64_t> ends = {};
  std::vector<double> couplings = {}, fields = {};

  GraphProblem problem() const {
    return {.num_spins = num_spins,
            .num_couplings = static_cast<std::int64_t>(couplings.size()),
            .ends = ends.data(),
            .couplings = couplings.data(),
            .fields = fields.data()};
  }
};

/// Returns a problem in which each pair couples with a probability. Numbers are whole multiples of
/// 2^-12 up to 2 in size, or with is_signs -1 and +1, and fields of up to 2.
inline GraphInstance random_graph(std::string name, std::int64_t num_spins, double probability,
                                  bool is_signs, std::uint64_t seed = 1) {
  Random random(seed);
  const auto number = [&](bool may_be_0) {
    if (is_signs) return static_cast<double>(random.below(2) * 2 - 1) * (may_be_0 ? 2.0 : 1.0);
    return std::ldexp(std::nearbyint(random.uniform(-8192.0, 8192.0)), -12);
  };
  GraphInstance graph{.name = std::move(name), .num_spins = num_spins};
  for (std::int64_t u = 0; u < num_spins; ++u) {
    graph.fields.push_back(random.below(2) == 0 ? 0.0 : number(true));
    for (std::int64_t v = u + 1; v < num_spins; ++v) {
      if (random.uniform(0.0, 1.0) >= probability) continue;
      const bool turned = random.below(2) == 0;
      graph.ends.push_back(turned ? v : u);
      graph.ends.push_back(turned ? u : v);
      graph.couplings.push_back(number(false));
    }
  }
  return graph;
}

/// Graphs that take all kernels: bytes, floats and rows of all couplings; of several groups of
/// spins, with a last one that is not full; with many colours; and with nothing but a spin.
inline std::vector<GraphInstance> graphs() {
  return {
      random_graph("one spin", 1, 0.0, true),       random_graph("sparse signs", 75, 0.06, true),
      random_graph("many signs", 130, 0.2, true),   random_graph("sparse", 75, 0.06, false),
      random_graph("many colours", 60, 0.2, false), random_graph("dense", 37, 0.7, false),
      random_graph("dense signs", 16, 1.0, true)};
}

/// One read, spin after spin, with energies summed anew for each. All numbers must be whole
/// multiples of 2^-12, so that no sum is rounded.
class ScalarGraph {
 public:
  ScalarGraph(const GraphInstance& graph, std::uint64_t key)
      : graph_(graph),
        couplings_(size(graph.num_spins), std::vector<double>(size(graph.num_spins))) {
    for (std::size_t k = 0; k < graph.couplings.size(); ++k) {
      const std::size_t u = size(graph.ends[2 * k]), v = size(graph.ends[2 * k + 1]);
      couplings_[u][v] = couplings_[v][u] = graph.couplings[k];
    }
    order_ = expected_order();

    std::uint32_t words[16];
    for (int k = 0; k < 16; k += 2) {
      const std::uint64_t z = mix(key += kGoldenGamma);
      words[k] = static_cast<std::uint32_t>(z);
      words[k + 1] = static_cast<std::uint32_t>(z >> 32);
    }
    for (std::size_t l = 0; l < 4; ++l) {
      generators_[l].s = {words[l], words[4 + l], words[8 + l], words[12 + l]};
    }
  }

  void start_at_random() {
    spins.assign(size(graph_.num_spins), 1);
    const std::vector<std::uint32_t> randoms = draw();
    for (std::size_t place = 0; place < order_.size(); ++place) {
      spins[size(order_[place])] = randoms[place] >> 31 == 0 ? 1 : -1;
    }
  }

  void sweep(double beta) {
    const std::vector<std::uint32_t> randoms = draw();
    // The slope is a float, in a unit that is a power of two.
    const auto slope = static_cast<double>(static_cast<float>(2.8853900817779268 * beta));
    for (std::size_t place = 0; place < order_.size(); ++place) {
      const std::size_t spin = size(order_[place]);
      if (flips(randoms[place], slope * spins[spin] * field(spin))) {
        spins[spin] = static_cast<std::int8_t>(-spins[spin]);
      }
    }
  }

  void descend() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const std::int32_t place : order_) {
        const std::size_t spin = size(place);
        if (spins[spin] * field(spin) <= 0.0) continue;
        spins[spin] = static_cast<std::int8_t>(-spins[spin]);
        moved = true;
      }
    }
  }

  double energy() const {
    double sum = 0.0;
    for (std::size_t i = 0; i < spins.size(); ++i) {
      sum += spins[i] * (graph_.fields[i] + field(i)) / 2.0;
    }
    return sum;
  }

  std::vector<std::int8_t> spins;

 private:
  double field(std::size_t i) const {
    double sum = graph_.fields[i];
    for (std::size_t j = 0; j < spins.size(); ++j) sum += couplings_[i][j] * spins[j];
    return sum;
  }

  /// A dense graph keeps the order of its spins. test_sweep_order.cc tests that of the others.
  std::vector<std::int32_t> expected_order() const {
    const std::int64_t pairs = graph_.num_spins * (graph_.num_spins - 1) / 2;
    std::vector<std::int32_t> order = sweep_order(list_couplings(graph_.problem()));
    if (!graph_.couplings.empty() &&
        4 * static_cast<std::int64_t>(graph_.couplings.size()) >= pairs) {
      std::sort(order.begin(), order.end());
    }
    return order;
  }

  /// Draws numbers for whole groups of 16 places.
  std::vector<std::uint32_t> draw() {
    std::vector<std::uint32_t> result((spins.size() + 15) / 16 * 16);
    for (std::size_t k = 0; k < result.size(); ++k) result[k] = generators_[k % 4].next();
    return result;
  }

  const GraphInstance& graph_;
  std::vector<std::vector<double>> couplings_;
  std::vector<std::int32_t> order_;
  Xoshiro generators_[4];
};

}  // namespace isingprop::test
