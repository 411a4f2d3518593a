/// Couplings most of which are 0, so that a grid stores them as spans: lattices and edge cases.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "support/common.h"

namespace isingprop::test {

struct SparseCouplings {
  std::string name;
  Sizes sizes;
  std::vector<float> couplings;

  /// Sets couplings to random numbers in [-1, 1) where coupled(i, a) holds, and to 0 elsewhere.
  template <class Coupled>
  SparseCouplings(const char* called, Sizes s, const Coupled& coupled)
      : name(called),
        sizes(s),
        couplings(Random(9).reals<float>(s.num_hidden * s.num_output, -1.0, 1.0)) {
    for (std::int64_t i = 0; i < s.num_hidden; ++i) {
      for (std::int64_t a = 0; a < s.num_output; ++a) {
        if (!coupled(i, a)) couplings[static_cast<std::size_t>(i * s.num_output + a)] = 0.0f;
      }
    }
  }
};

/// Returns a square lattice with open ends. Hidden spins are its white sites and output spins its
/// black ones, row by row.
inline SparseCouplings square_lattice(std::int64_t length) {
  const auto neighbours = [length](std::int64_t white, std::int64_t black) {
    const std::int64_t half = length / 2, i = white / half, k = black / half;
    const std::int64_t j = 2 * (white % half) + i % 2, l = 2 * (black % half) + (k + 1) % 2;
    return std::abs(i - k) + std::abs(j - l) == 1;
  };
  return {"a square lattice", {length * length / 2, length * length / 2}, neighbours};
}

inline std::vector<SparseCouplings> sparse_couplings() {
  using Int = std::int64_t;
  return {
      square_lattice(16),
      {"a chain of spins", {200, 201}, [](Int i, Int a) { return a == i || a == i + 1; }},
      {"blocks that do not fit in blocks of lanes",
       {100, 100},
       [](Int i, Int a) { return i / 10 == a / 10; }},
      {"rows that start late", {64, 150}, [](Int i, Int a) { return a >= i + 60 && a < i + 70; }},
      {"rows that start ever earlier", {70, 150}, [](Int i, Int a) { return a == 149 - 2 * i; }},
      {"few rows and columns", {90, 70}, [](Int i, Int a) { return i % 7 == 3 && a % 11 == 5; }},
      {"one row", {30, 40}, [](Int i, Int) { return i == 20; }},
      {"one column", {100, 100}, [](Int, Int a) { return a == 33; }},
      {"the first coupling alone", {40, 80}, [](Int i, Int a) { return i == 0 && a == 0; }},
      {"the last coupling alone", {40, 80}, [](Int i, Int a) { return i == 39 && a == 79; }},
  };
}

}  // namespace isingprop::test
