#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "support/chain_memory.h"
#include "support/common.h"

namespace isingprop::test {
namespace {

/// Returns J as the kernels read it, in units of 2^exponent.
std::vector<double> on_grid(const CouplingGrid& grid, Sizes sizes) {
  const std::vector<float> couplings = grid_couplings(grid, sizes);
  return {couplings.begin(), couplings.end()};
}

template <class Real>
double largest_sum(const std::vector<Real>& couplings, Sizes sizes) {
  std::vector<double> rows(static_cast<std::size_t>(sizes.num_hidden)),
      columns(couplings.size() / rows.size());
  for (std::size_t k = 0; k < couplings.size(); ++k) {
    const double size = std::abs(static_cast<double>(couplings[k]));
    rows[k / columns.size()] += size;
    columns[k % columns.size()] += size;
  }
  return std::max(*std::max_element(rows.begin(), rows.end()),
                  *std::max_element(columns.begin(), columns.end()));
}

/// Updates k_i of each hidden spin in float while output spins flip one after the other, and
/// compares it with the exact k_i.
void check_exact_sums(const std::vector<double>& couplings, Sizes sizes, Random& random) {
  const auto num_output = static_cast<std::size_t>(sizes.num_output);
  std::vector<std::int8_t> t = random.spins(sizes.num_output);
  std::vector<float> k(static_cast<std::size_t>(sizes.num_hidden));
  bool exact = true;
  const auto compare = [&] {
    for (std::size_t i = 0; i < k.size(); ++i) {
      double sum = 0.0;
      for (std::size_t a = 0; a < num_output; ++a) sum += couplings[i * num_output + a] * t[a];
      exact = exact && double{k[i]} == sum;
    }
  };
  for (std::size_t i = 0; i < k.size(); ++i) {
    for (std::size_t a = 0; a < num_output; ++a)
      k[i] += static_cast<float>(couplings[i * num_output + a]) * t[a];
  }
  compare();
  for (int flip = 0; flip < 50; ++flip) {
    const auto a = static_cast<std::size_t>(random.below(sizes.num_output));
    t[a] = static_cast<std::int8_t>(-t[a]);
    for (std::size_t i = 0; i < k.size(); ++i)
      k[i] += static_cast<float>(2.0 * couplings[i * num_output + a]) * t[a];
    compare();
  }
  CHECK(exact);
}

TEST_CASE("the worked example of the header") {
  const CouplingGrid grid = make_grid<double>({0.3, -0.1}, {1, 2});
  CHECK(grid.exponent() == -1 - 23);
  CHECK(on_grid(grid, {1, 2}) == std::vector<double>{10066330 * 0.5, -3355443 * 0.5});
  CHECK(std::ldexp(grid.sum_of_squares(), 2 * grid.exponent()) ==
        doctest::Approx(0.1).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("on the grid every sum is exact in float, and no coupling moves far", Real,
                   float, double) {
  Random random(1);
  for (const Sizes& sizes : kSizes) {
    for (const double scale : {1e-300, 1e-40, 1e-6, 0.3, 1.0, 1e6, 1e25}) {
      const auto couplings = random.reals<Real>(sizes.num_hidden * sizes.num_output, -scale, scale);
      const CouplingGrid grid = make_grid(couplings, sizes);
      const std::vector<double> rounded = on_grid(grid, sizes);
      const double largest = largest_sum(couplings, sizes), unit = std::ldexp(1.0, grid.exponent());
      double moved = 0.0;
      for (std::size_t k = 0; k < rounded.size(); ++k) {
        moved = std::max(moved, std::abs(rounded[k] * unit - static_cast<double>(couplings[k])));
      }
      CHECK(moved <= 0x1p-24 * largest);
      CHECK(((largest <= 0x1p23 * unit && 0x1p22 * unit <= largest) || largest == 0.0));
      check_exact_sums(rounded, sizes, random);
    }
  }
}

TEST_CASE("sums stay exact where rounding takes the largest one over a power of two") {
  // The sum is 2^24 - 0.2 quanta of 2^-24, just below 1. Rounded to whole quanta it is 2^24 + 1.
  const std::vector<double> couplings{5592405.6 * 0x1p-24, 5592405.6 * 0x1p-24,
                                      5592404.6 * 0x1p-24};
  const CouplingGrid grid = make_grid(couplings, {1, 3});
  double sum = 0.0;
  for (const double coupling : on_grid(grid, {1, 3})) sum += coupling;
  CHECK(double{static_cast<float>(sum)} == sum);
}

TEST_CASE(
    "the unit follows the largest field where that is larger than the sums, and the sums stay "
    "exact") {
  Random random(3);
  const Sizes sizes{33, 20};
  const auto couplings = random.reals<double>(33 * 20, -1.0, 1.0);
  const CouplingGrid alone = make_grid(couplings, sizes),
                     beside = make_grid(couplings, sizes, 1e12);
  CHECK(beside.exponent() == 40 - 23);  // 2^39 < 1e12 <= 2^40
  CHECK(make_grid(couplings, sizes, 1e-3).exponent() == alone.exponent());
  const double ratio = std::ldexp(1.0, alone.exponent() - beside.exponent());
  std::vector<double> scaled = on_grid(alone, sizes);
  for (double& coupling : scaled) coupling *= ratio;
  CHECK(on_grid(beside, sizes) == scaled);
  CHECK(beside.sum_of_squares() == alone.sum_of_squares() * ratio * ratio);
  check_exact_sums(scaled, sizes, random);
}

TEST_CASE("both arrangements hold the same numbers, and zeros in the padding") {
  for (const Sizes& sizes : kSizes) {
    const auto couplings = Random(2).reals<float>(sizes.num_hidden * sizes.num_output, -1.0, 1.0);
    const CouplingGrid grid = make_grid(couplings, sizes);
    bool same = true;
    for (std::int64_t i = 0; i < padded(sizes.num_hidden); ++i) {
      for (std::int64_t a = 0; a < padded(sizes.num_output); ++a) {
        const bool real_row = i < sizes.num_hidden, real_column = a < sizes.num_output;
        const float by_row = real_row ? grid.hidden_rows()[i * padded(sizes.num_output) + a] : 0.0f;
        const float by_column =
            real_column ? grid.output_rows()[a * padded(sizes.num_hidden) + i] : 0.0f;
        same = same && by_row == by_column;
      }
    }
    CHECK(same);
  }
}

/// Returns the fields of a layer when every spin of the other one is -1, computed from 2 J in
/// double.
std::vector<double> fields_of_down(const float* rows, std::int64_t num_rows, std::int64_t stride) {
  std::vector<double> fields(static_cast<std::size_t>(stride));
  for (std::int64_t k = 0; k < num_rows * stride; ++k) {
    fields[static_cast<std::size_t>(k % stride)] -= double{rows[k]} / 2.0;
  }
  return fields;
}

TEST_CASE_TEMPLATE("fields of layers that are all down are sums of couplings, exactly", Real, float,
                   double) {
  for (const Sizes& sizes : kSizes) {
    const auto couplings = Random(4).reals<Real>(sizes.num_hidden * sizes.num_output, -1.0, 1.0);
    const std::int64_t hidden = padded(sizes.num_hidden), output = padded(sizes.num_output);
    const CouplingGrid grid = make_grid(couplings, sizes);
    const std::vector<double> hidden_down(grid.hidden_down(), grid.hidden_down() + hidden);
    const std::vector<double> output_down(grid.output_down(), grid.output_down() + output);
    CHECK(hidden_down == fields_of_down(grid.output_rows(), sizes.num_output, hidden));
    CHECK(output_down == fields_of_down(grid.hidden_rows(), sizes.num_hidden, output));
  }
}

template <class Real>
struct GridBits {
  std::vector<float> hidden_rows, output_rows, hidden_down, output_down;
  double sum_of_squares;
  int exponent;

  GridBits(const std::vector<Real>& couplings, Sizes sizes)
      : GridBits(make_grid(couplings, sizes), sizes) {}
  GridBits(const CouplingGrid& grid, Sizes sizes)
      : hidden_rows(test::hidden_rows(grid, sizes)),
        output_rows(test::output_rows(grid, sizes)),
        hidden_down(grid.hidden_down(), grid.hidden_down() + padded(sizes.num_hidden)),
        output_down(grid.output_down(), grid.output_down() + padded(sizes.num_output)),
        sum_of_squares(grid.sum_of_squares()),
        exponent(grid.exponent()) {}
  bool operator==(const GridBits&) const = default;
};

TEST_CASE_TEMPLATE("the grid is the same on every table", Real, float, double) {
  Random random(5);
  for (const Sizes& sizes : kSizes) {
    for (const double scale : {1e-300, 1e-40, 1.0, 1e25}) {
      const auto couplings = random.reals<Real>(sizes.num_hidden * sizes.num_output, -scale, scale);
      const GridBits<Real> expected(couplings, sizes);
      on_every_table([&] { CHECK(GridBits<Real>(couplings, sizes) == expected); });
    }
  }
}

TEST_CASE("couplings of zero stay zero") {
  const std::vector<double> zeros(6, 0.0);
  const CouplingGrid grid = make_grid(zeros, {2, 3});
  CHECK(on_grid(grid, {2, 3}) == zeros);
  CHECK(grid.sum_of_squares() == 0.0);
}

TEST_CASE("numbers too small for the grid are rounded to it, too") {
  for (const double scale : {1e-302, 1e-305, 1e-307, 1e-320}) {
    auto couplings = Random(6).reals<double>(20 * 70, -scale, scale);
    for (const bool sparse : {false, true}) {
      if (sparse) std::fill(couplings.begin() + 100, couplings.end(), 0.0);
      const CouplingGrid grid = make_grid(couplings, {20, 70});
      CHECK((grid.hidden_spans() != nullptr) == sparse);
      const std::vector<double> rounded = on_grid(grid, {20, 70});
      const double half_quantum = std::max(0x1p-24 * largest_sum(couplings, {20, 70}), 0x1p-1024);
      double moved = 0.0;
      for (std::size_t k = 0; k < rounded.size(); ++k) {
        const int unit = grid.exponent(padded(20) + static_cast<std::int64_t>(k) % 70);
        moved = std::max(moved, std::abs(std::ldexp(rounded[k], unit) - couplings[k]));
      }
      CHECK(moved <= half_quantum);
    }
  }
}

template <class Real>
void check_refused(const std::vector<Real>& couplings, Sizes sizes) {
  on_every_table([&] {
    CHECK_THROWS_WITH_AS(make_grid(couplings, sizes),
                         "couplings must be finite, with sums of |J| of up to 1e300",
                         std::invalid_argument);
  });
}

TEST_CASE_TEMPLATE("couplings that are not finite, or too large, are refused, wherever they are",
                   Real, float, double) {
  using Limits = std::numeric_limits<Real>;
  for (const Sizes& sizes : {Sizes{2, 3}, Sizes{16, 32}, Sizes{21, 37}}) {
    const auto count = static_cast<std::size_t>(sizes.num_hidden * sizes.num_output);
    std::vector<Real> bad_ones{Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()};
    if (sizeof(Real) == sizeof(double)) {
      bad_ones.push_back(Limits::max());
      bad_ones.push_back(Real(2e300));
    }
    for (const Real bad : bad_ones) {
      for (const std::size_t at : {std::size_t{0}, count / 2, count - 1}) {
        std::vector<Real> couplings(count, Real(1));
        couplings[at] = bad;
        check_refused(couplings, sizes);
      }
    }
  }
}

TEST_CASE("couplings that are too large to add up are refused") {
  const std::vector<double> couplings(40, 3e298);  // 40 of them sum to 1.2e300
  check_refused(couplings, {40, 1});
  check_refused(couplings, {1, 40});
  CHECK(make_grid(couplings, {8, 5}).exponent() == 995 - 23);  // 2^994 < 8 * 3e298 <= 2^995
}

TEST_CASE("floats whose sum is no float are not too large") {
  const std::vector<float> couplings(40, 3e38f);  // the largest float is 3.4e38
  for (const Sizes& sizes : {Sizes{40, 1}, Sizes{1, 40}}) {
    const CouplingGrid grid = make_grid(couplings, sizes);
    const int unit = grid.exponent(padded(sizes.num_hidden));  // of the first output
    for (const double coupling : on_grid(grid, sizes)) {
      CHECK(std::ldexp(coupling, unit) == doctest::Approx(3e38).epsilon(40 * 0x1p-24));
    }
  }
}

}  // namespace
}  // namespace isingprop::test
