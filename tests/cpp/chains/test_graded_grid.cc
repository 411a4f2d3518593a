#include <doctest/doctest.h>

#include <cmath>

#include "support/chain_memory.h"
#include "support/given_problem.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

/// Returns J as the kernels read it for the fields of one layer, in the unit of J.
std::vector<double> couplings_of_layer(const CouplingGrid& grid, Sizes sizes, bool hidden) {
  const std::vector<float> of_layer =
      hidden ? hidden_couplings(grid, sizes) : grid_couplings(grid, sizes);
  std::vector<double> couplings;
  for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
    for (std::int64_t a = 0; a < sizes.num_output; ++a) {
      const std::int64_t at = hidden ? i : padded(sizes.num_hidden) + a;
      const double coupling = double{of_layer[size(i * sizes.num_output + a)]};
      couplings.push_back(std::ldexp(coupling, grid.exponent(at)));
    }
  }
  return couplings;
}

/// One spin of a problem on its grid.
struct GridSpin {
  std::vector<double> given, on_grid;  ///< its couplings
  double field;                        ///< the largest of it
  int unit;
  float sum, error, down;
};

template <class Real>
std::vector<GridSpin> spins_on(const CouplingGrid& grid, const GivenProblem<Real>& problem) {
  const auto [num_hidden, num_output] = problem.sizes;
  const std::int64_t output = padded(num_hidden);
  const std::vector<double> rows = couplings_of_layer(grid, problem.sizes, true);
  const std::vector<double> columns = couplings_of_layer(grid, problem.sizes, false);
  std::vector<GridSpin> spins;
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    GridSpin spin{{},
                  {},
                  std::abs(static_cast<double>(problem.hidden_fields[size(i)])),
                  grid.exponent(i),
                  grid.sums()[i],
                  grid.errors()[i],
                  grid.hidden_down()[i]};
    for (std::int64_t a = 0; a < num_output; ++a) {
      spin.given.push_back(static_cast<double>(problem.couplings[size(i * num_output + a)]));
      spin.on_grid.push_back(rows[size(i * num_output + a)]);
    }
    spins.push_back(spin);
  }
  for (std::int64_t a = 0; a < num_output; ++a) {
    const std::int64_t at = output + a;
    GridSpin spin{{},
                  {},
                  std::abs(static_cast<double>(problem.output_fields[size(a)])),
                  grid.exponent(at),
                  grid.sums()[at],
                  grid.errors()[at],
                  grid.output_down()[a]};
    for (std::int64_t i = 0; i < num_hidden; ++i) {
      spin.given.push_back(static_cast<double>(problem.couplings[size(i * num_output + a)]));
      spin.on_grid.push_back(columns[size(i * num_output + a)]);
    }
    spins.push_back(spin);
  }
  return spins;
}

/// Checks that any sum of the couplings of a spin, some of them negated, is exact in float.
void check_exact_sums(const GridSpin& spin, Random& random) {
  float largest = 0.0f, some = 0.0f;
  double exact_largest = 0.0, exact_some = 0.0;
  for (const double coupling : spin.on_grid) {
    const double in_units = std::ldexp(coupling, -spin.unit);
    const double sign = random.below(2) == 0 ? 1.0 : -1.0;
    exact_largest += std::abs(in_units);
    exact_some += sign * in_units;
    largest += static_cast<float>(std::abs(in_units));
    some += static_cast<float>(sign * in_units);
  }
  CHECK(double{largest} == exact_largest);
  CHECK(double{some} == exact_some);
}

void check_spin(const GridSpin& spin, Random& random) {
  double sum = 0.0, down = 0.0;
  for (std::size_t k = 0; k < spin.given.size(); ++k) {
    sum += std::abs(spin.given[k]);
    down -= std::ldexp(spin.on_grid[k], -spin.unit);
  }
  CHECK(double{spin.down} == down);
  CHECK(double{spin.sum} == doctest::Approx(std::ldexp(sum, -spin.unit)).epsilon(1e-6));
  const double largest = std::ldexp(std::max(sum, spin.field), -spin.unit);
  CHECK((largest == 0.0 || (largest >= 0x1p22 && largest <= 0x1p23)));

  double moved = 0.0, most = 0.0;
  for (std::size_t k = 0; k < spin.given.size(); ++k) {
    const double change = std::abs(spin.on_grid[k] - spin.given[k]);
    moved += std::ldexp(change, -spin.unit);
    most = std::max(most, change);
  }
  CHECK(most <= 0x1p-24 * sum * (1.0 + 1e-5));  // sums near a power of two may round up to it
  CHECK(2.0 * moved <= double{spin.error});
  CHECK((spin.error == 0.0f) == (moved == 0.0));
  check_exact_sums(spin, random);
}

/// Returns couplings in [-1, 1) times a power of two for each spin, and fields of like size.
template <class Real>
GivenProblem<Real> scaled_problem(Sizes sizes, Random& random, int spread) {
  GivenProblem<Real> problem(sizes);
  std::vector<int> powers;
  for (std::int64_t k = 0; k < problem.num_spins(); ++k) {
    powers.push_back(static_cast<int>(random.below(spread)) - spread / 2);
  }
  for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
    for (std::int64_t a = 0; a < sizes.num_output; ++a) {
      const int power = powers[size(i)] + powers[size(sizes.num_hidden + a)];
      problem.coupling(i, a) = static_cast<Real>(std::ldexp(random.uniform(-1.0, 1.0), power));
    }
  }
  for (std::size_t i = 0; i < problem.hidden_fields.size(); ++i) {
    problem.hidden_fields[i] = static_cast<Real>(std::ldexp(random.uniform(-1.0, 1.0), powers[i]));
  }
  return problem;
}

TEST_CASE_TEMPLATE(
    "on a graded grid the sums of each spin are exact in float, and no coupling moves far for it",
    Real, float, double) {
  Random random(1);
  const int widest = sizeof(Real) == sizeof(double) ? 900 : 60;
  for (const Sizes& sizes : {Sizes{2, 2}, Sizes{17, 5}, Sizes{16, 48}, Sizes{33, 129}}) {
    for (const int spread : {20, 40, widest}) {
      const auto problem = scaled_problem<Real>(sizes, random, spread);
      const CouplingGrid grid(problem.problem());
      if (sizes.num_hidden > 2) REQUIRE(grid.is_graded());
      if (!grid.is_graded()) continue;
      CHECK(grid.sum_of_squares() == 0.0);
      for (const GridSpin& spin : spins_on(grid, problem)) check_spin(spin, random);
    }
  }
}

TEST_CASE("couplings between 1e-300 and 1e300 are all on one graded grid") {
  GivenProblem<double> problem({3, 3});
  problem.couplings = {1e300, 1.0, 0.0, 1.0, 1e-10, 0.0, 0.0, 0.0, 1e-300};
  problem.couplings[0] = 0.9e300;
  problem.hidden_fields = {0.0, -0.3, 2e-300};
  const CouplingGrid grid(problem.problem());
  REQUIRE(grid.is_graded());
  Random random(2);
  for (const GridSpin& spin : spins_on(grid, problem)) check_spin(spin, random);
  CHECK(grid.exponent(0) == grid.exponent());
  CHECK(grid.exponent(0) == 997 - 23);        // 2^996 < 0.9e300 <= 2^997
  CHECK(grid.exponent(1) == 1 - 23);          // 1 < 1 + 1e-10 <= 2
  CHECK(grid.exponent(2) == -995 - 23);       // 2^-996 < 2e-300 <= 2^-995
  CHECK(grid.exponent(16 + 2) == -996 - 23);  // 2^-997 < 1e-300 <= 2^-996
}

TEST_CASE("a grid is graded where sums are more than 2^10 apart, or fields far above them") {
  const auto is_graded = [](std::vector<double> couplings, double field) {
    return make_grid(couplings, {2, 2}, field).is_graded();
  };
  CHECK(!is_graded({0x1p10, 0.0, 0.0, 1.0}, 0.0));
  CHECK(is_graded({0x1p10 + 1.0, 0.0, 0.0, 1.0}, 0.0));
  CHECK(!is_graded({0x1p10, 0.0, 0.0, 0.0}, 0.0));  // spins without couplings do not count
  CHECK(!is_graded({1.0, 0.0, 0.0, 1.0}, 0x1p60));
  CHECK(is_graded({1.0, 0.0, 0.0, 1.0}, 0x1p61));
  CHECK(!is_graded({0.0, 0.0, 0.0, 0.0}, 1e280));
  CHECK(is_graded({1e290, 0.0, 0.0, 1e290}, 0.0));  // the kernel does not reach so far
  CHECK(!is_graded({-0.0, 0.0, 0.0, 0.0}, 0.0));
}

TEST_CASE("errors are 0 exactly for the spins whose couplings are on the grid") {
  // The sums of spins are 2^12, 3 and so on; a quantum of the first is 2^-11.
  const std::vector<double> exact{0x1p12, 0.0, 0.0, 3.0};
  const CouplingGrid grid = make_grid(exact, {2, 2});
  REQUIRE(grid.is_graded());
  for (const std::int64_t at : {0, 1, 16, 17}) CHECK(grid.errors()[at] == 0.0f);
  // The first hidden spin loses the small coupling, and the second output has it exactly.
  const CouplingGrid lossy = make_grid<double>({0x1p12, 0x1p-14, 0.0, 3.0}, {2, 2});
  CHECK(lossy.errors()[0] > 0.0f);
  CHECK(lossy.errors()[1] == 0.0f);
  CHECK(lossy.errors()[16] == 0.0f);
  CHECK(lossy.errors()[17] == 0.0f);
  // On one quantum all spins have the same bound, or none has an error.
  const CouplingGrid one = make_grid<double>({1.0, 0x1p-30, 0.5, 1.0}, {2, 2});
  REQUIRE(!one.is_graded());
  for (const std::int64_t at : {0, 1, 16, 17}) CHECK(one.errors()[at] > 0.0f);
  const CouplingGrid whole = make_grid<double>({1.0, -3.0, 0.5, 1.0}, {2, 2});
  for (const std::int64_t at : {0, 1, 16, 17}) CHECK(whole.errors()[at] == 0.0f);
}

TEST_CASE("the padding of sums and errors is 0") {
  Random random(3);
  for (const int spread : {1, 40}) {
    const auto problem = scaled_problem<double>({17, 5}, random, spread);
    const CouplingGrid grid(problem.problem());
    for (std::int64_t at = 0; at < 48; ++at) {
      if (at < 17 || (at >= 32 && at < 37)) continue;
      CHECK(grid.sums()[at] == 0.0f);
      CHECK(grid.errors()[at] == 0.0f);
    }
  }
}

TEST_CASE("a grid is dense where no coupling is 0, on every table") {
  for (const Sizes& sizes : kSizes) {
    std::vector<float> couplings(size(sizes.num_hidden * sizes.num_output), -1.0f);
    on_every_table([&] { CHECK(make_grid(couplings, sizes).is_dense()); });
    for (const std::size_t at : {std::size_t{0}, couplings.size() / 2, couplings.size() - 1}) {
      std::vector<float> one_less = couplings;
      one_less[at] = -0.0f;
      on_every_table([&] { CHECK(!make_grid(one_less, sizes).is_dense()); });
    }
  }
}

TEST_CASE("graded grids times a power of two are the same, in other units") {
  Random random(4);
  const auto problem = scaled_problem<double>({17, 5}, random, 40);
  GivenProblem<double> small(problem.sizes);
  const int power = -900;
  for (std::size_t k = 0; k < problem.couplings.size(); ++k) {
    small.couplings[k] = std::ldexp(problem.couplings[k], power);
  }
  for (std::size_t i = 0; i < 17; ++i) {
    small.hidden_fields[i] = std::ldexp(problem.hidden_fields[i], power);
  }
  const CouplingGrid grid(problem.problem()), other(small.problem());
  CHECK(hidden_rows(grid, problem.sizes) == hidden_rows(other, problem.sizes));
  CHECK(output_rows(grid, problem.sizes) == output_rows(other, problem.sizes));
  CHECK(other.exponent() == grid.exponent() + power);
  for (const std::int64_t at : {0, 16, 32, 36}) {
    CHECK(other.exponent(at) == grid.exponent(at) + power);
    CHECK(other.sums()[at] == grid.sums()[at]);
    CHECK(other.errors()[at] == grid.errors()[at]);
  }
}

/// Makes couplings graded by a power of two for each hidden spin.
std::vector<float> graded(SparseCouplings sparse) {
  for (std::size_t k = 0; k < sparse.couplings.size(); ++k) {
    const auto row = static_cast<int>(static_cast<std::int64_t>(k) / sparse.sizes.num_output);
    sparse.couplings[k] = std::ldexp(sparse.couplings[k], row % 5 * 8);
  }
  return sparse.couplings;
}

TEST_CASE("a graded grid in spans holds what one in whole rows does") {
  Random random(5);
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    const Sizes sizes = sparse.sizes;
    GivenProblem<float> problem(sizes);
    problem.couplings = graded(sparse);
    const CouplingGrid grid(problem.problem());
    REQUIRE(grid.hidden_spans() != nullptr);
    // Some added blocks that touch nothing else make the rows long enough to be stored whole.
    GivenProblem<float> beside({4 * sizes.num_hidden, 4 * sizes.num_output});
    for (std::int64_t i = 0; i < beside.sizes.num_hidden; ++i) {
      for (std::int64_t a = 0; a < beside.sizes.num_output; ++a) {
        if (i < sizes.num_hidden && a < sizes.num_output) {
          beside.coupling(i, a) = problem.coupling(i, a);
        } else if (i >= sizes.num_hidden && a >= sizes.num_output) {
          beside.coupling(i, a) = 0x1p40f;
        }
      }
    }
    const CouplingGrid whole(beside.problem());
    REQUIRE(whole.hidden_spans() == nullptr);
    REQUIRE(whole.is_graded());
    if (!grid.is_graded()) continue;  // one coupling alone
    const std::vector<GridSpin> spins = spins_on(grid, problem), others = spins_on(whole, beside);
    for (std::int64_t k = 0; k < problem.num_spins(); ++k) {
      const GridSpin& spin = spins[size(k)];
      const std::int64_t at =
          k < sizes.num_hidden ? k : k - sizes.num_hidden + beside.sizes.num_hidden;
      std::vector<double> couplings = others[size(at)].on_grid;
      couplings.resize(spin.on_grid.size());
      CHECK(spin.on_grid == couplings);
      if (spin.sum > 0.0f) CHECK(spin.unit == others[size(at)].unit);
      CHECK(spin.sum == others[size(at)].sum);
      CHECK(spin.down == others[size(at)].down);
      check_spin(spin, random);
    }
  }
}

}  // namespace
}  // namespace isingprop::test
