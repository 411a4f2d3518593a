/// Couplings on a graph from their numbers, and their local scales.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "chains/local_scales.h"
#include "support/common.h"

namespace isingprop::test {

struct GivenGraph {
  std::vector<std::map<std::int32_t, double>> neighbours;  ///< of each spin: J_ij by j
  std::vector<double> fields;

  explicit GivenGraph(std::int64_t num_spins)
      : neighbours(size(num_spins)), fields(size(num_spins)) {}

  void couple(std::int64_t i, std::int64_t j, double coupling) {
    neighbours[size(i)][static_cast<std::int32_t>(j)] = coupling;
    neighbours[size(j)][static_cast<std::int32_t>(i)] = coupling;
  }
};

/// The local scales of a graph, where each spin has the unit of its largest coupling or field.
struct GraphScales {
  std::vector<std::int64_t> first{0};
  std::vector<std::int32_t> others;
  std::vector<float> couplings, sums, squares, fields;
  std::vector<int> exponents;
  int exponent;
  LocalScales scales;

  explicit GraphScales(const GivenGraph& graph)
      : exponent(fill(graph)),
        scales({.num_spins = static_cast<std::int64_t>(exponents.size()),
                .first = first.data(),
                .others = others.data(),
                .couplings = couplings.data(),
                .sums = sums.data(),
                .squares = squares.data(),
                .exponents = exponents.data(),
                .exponent = exponent}) {
    scales.load(fields.data());
  }

  double g(std::int64_t spin) const { return std::exp2(scales.log2_scale(spin) + exponent); }
  double mean_g() const { return std::exp2(scales.mean_log2_scale() + exponent); }

 private:
  /// Fills the arrays, and returns the largest exponent.
  int fill(const GivenGraph& graph) {
    for (std::size_t i = 0; i < graph.fields.size(); ++i) {
      double largest = std::abs(graph.fields[i]), sum = 0.0, square = 0.0;
      for (const auto& [j, coupling] : graph.neighbours[i]) {
        largest = std::max(largest, std::abs(coupling));
      }
      const int unit = largest > 0.0 ? std::ilogb(largest) : 0;
      for (const auto& [j, given] : graph.neighbours[i]) {
        const double coupling = std::ldexp(given, -unit);
        others.push_back(j);
        couplings.push_back(static_cast<float>(coupling));
        sum += std::abs(coupling);
        square += coupling * coupling;
      }
      first.push_back(static_cast<std::int64_t>(others.size()));
      sums.push_back(static_cast<float>(sum));
      squares.push_back(static_cast<float>(square));
      fields.push_back(static_cast<float>(std::ldexp(graph.fields[i], -unit)));
      exponents.push_back(unit);
    }
    return *std::max_element(exponents.begin(), exponents.end());
  }
};

}  // namespace isingprop::test
