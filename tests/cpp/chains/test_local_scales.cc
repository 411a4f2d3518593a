#include <doctest/doctest.h>

#include <cmath>

#include "chains/local_scales.h"
#include "support/plain_scales.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

using Numbers = std::vector<double>;

/// The local scales of a problem, of whose numbers the grid keeps every bit.
struct Scales {
  CouplingGrid grid;
  LocalScales scales;
  Sizes sizes;

  explicit Scales(const GivenProblem<double>& problem, std::int64_t b = 0)
      : grid(problem.problem()), scales(grid), sizes(problem.sizes) {
    std::vector<float> fields(size(padded(sizes.num_hidden) + padded(sizes.num_output)));
    const auto fill = [&](const double* from, std::int64_t count, std::int64_t first) {
      for (std::int64_t k = 0; k < count; ++k) {
        const double field = std::ldexp(from[k], -grid.exponent(first + k));
        fields[size(first + k)] = static_cast<float>(field);
      }
    };
    fill(problem.problem().hidden_of(b), sizes.num_hidden, 0);
    fill(problem.problem().output_of(b), sizes.num_output, padded(sizes.num_hidden));
    scales.load(fields.data());
  }

  /// Returns G of the part of spin k, hidden ones first, in the unit of J.
  double g(std::int64_t k) const {
    const std::int64_t num_hidden = sizes.num_hidden;
    const std::int64_t at = k < num_hidden ? k : padded(num_hidden) + k - num_hidden;
    return std::exp2(scales.log2_scale(at) + grid.exponent());
  }
  double mean_g() const { return std::exp2(scales.mean_log2_scale() + grid.exponent()); }
};

constexpr double kTolerance = 1e-5;  // sums of J^2 are floats
constexpr double kRelative[] = {0.88, 0.9, 1.3, 2.0, 3.0, 4.7, 7.0, 8.8};

void check_scales(const GivenProblem<double>& problem, std::int64_t b = 0) {
  const Scales found(problem, b);
  const PlainScales expected(problem, b);
  double logs = 0.0, number = 0.0;
  for (std::size_t k = 0; k < expected.f.size(); ++k) {
    if (expected.g[k] > 0.0) {
      CHECK(found.g(static_cast<std::int64_t>(k)) ==
            doctest::Approx(expected.g[k]).epsilon(kTolerance));
    }
    if (!expected.counts(k)) continue;
    logs += std::log(expected.g[k]);
    number += 1.0;
  }
  if (number > 0.0) {
    CHECK(found.mean_g() == doctest::Approx(std::exp(logs / number)).epsilon(kTolerance));
  }
  for (const double relative : kRelative) {
    CAPTURE(relative);
    CHECK(found.scales.reduced(relative) ==
          doctest::Approx(expected.reduced(relative)).epsilon(kTolerance));
  }
  CHECK(found.scales.reduced(0.0) == 0.0);
}

/// Returns whole multiples of 2^-7 between the bounds, which every grid here holds exactly.
Numbers coarse(Random& random, std::int64_t count, double low, double high) {
  Numbers values = random.reals<double>(count, low, high);
  for (double& value : values) value = std::round(value * 128.0) / 128.0;
  return values;
}

/// Couplings without loops: output a couples to hidden spins a and a + 1, if not 0 by chance.
GivenProblem<double> open_chain(std::int64_t length, Random& random, double field) {
  GivenProblem<double> problem({length, length - 1});
  for (std::int64_t a = 0; a < length - 1; ++a) {
    for (const std::int64_t i : {a, a + 1}) {
      problem.coupling(i, a) = coarse(random, 1, -1.0, 1.0).front();
    }
  }
  problem.hidden_fields = coarse(random, length, -field, field);
  problem.output_fields = coarse(random, length - 1, -field, field);
  return problem;
}

TEST_CASE("scales are those of the formulas: chains of spins, some of them pinned") {
  Random random(1);
  for (const std::int64_t length : {2, 5, 20, 60}) {
    for (const double field : {0.0, 0.3, 1.0, 5.0}) {
      CAPTURE(length);
      CAPTURE(field);
      check_scales(open_chain(length, random, field));
    }
  }
}

TEST_CASE("scales are those of the formulas: spins of different scales in one part") {
  Random random(2);
  bool found_mixture = false;
  for (int run = 0; run < 40; ++run) {
    CAPTURE(run);
    GivenProblem<double> problem = open_chain(12 + run % 30, random, 0.5);
    for (std::int64_t i = 0; i < problem.sizes.num_hidden; ++i) {
      // Every spin has a scale, at which its couplings and fields are on its grid.
      const int power = static_cast<int>(run % 4 * 4 * (i % 5));
      for (std::int64_t a = 0; a < problem.sizes.num_output; ++a) {
        problem.coupling(i, a) = std::ldexp(problem.coupling(i, a), power % 13);
      }
      problem.hidden_fields[size(i)] = std::ldexp(problem.hidden_fields[size(i)], power % 13);
    }
    found_mixture = found_mixture || !PlainScales(problem).has_one_scale;
    check_scales(problem);
  }
  CHECK(found_mixture);
}

TEST_CASE(
    "scales are those of the formulas: a lattice of signs, whose loops are frustrated or not") {
  Random random(3);
  for (const std::int64_t length : {4, 6, 8}) {
    for (const double order : {0.0, 0.5, 0.9, 1.0}) {
      const SparseCouplings lattice = square_lattice(length);
      GivenProblem<double> problem(lattice.sizes);
      for (std::size_t k = 0; k < lattice.couplings.size(); ++k) {
        const double sign = random.uniform(0.0, 1.0) < order || random.below(2) == 0 ? -1.0 : 1.0;
        if (lattice.couplings[k] != 0.0f) problem.couplings[k] = sign;
      }
      const PlainScales expected(problem);
      if (order == 1.0) CHECK(expected.coherence == 1.0);
      if (order == 1.0 || expected.coherence == 0.0) check_scales(problem);
    }
  }
}

/// Returns two cells of four by four spins, -0.5 within each, joined by one bond.
GivenProblem<double> two_cells() {
  GivenProblem<double> cells({8, 8});
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t a = 0; a < 8; ++a) cells.coupling(i, a) = i / 4 == a / 4 ? -0.5 : 0.0;
  }
  cells.coupling(0, 7) = 0x1p-10;
  return cells;
}

TEST_CASE("the coherence of ferromagnetic cells is 1: the spins of a cell add up") {
  GivenProblem<double> cells = two_cells();
  CHECK(PlainScales(cells).coherence == 1.0);
  check_scales(cells);
  CHECK(Scales(cells).g(1) == doctest::Approx(4.0 * 0.5).epsilon(1e-3));  // not sqrt(4) * 0.5
  // A gauge transformation changes no loop.
  for (std::int64_t a = 0; a < 8; ++a) cells.coupling(2, a) = -cells.coupling(2, a);
  check_scales(cells);
  CHECK(Scales(cells).g(1) == doctest::Approx(4.0 * 0.5).epsilon(1e-3));
}

TEST_CASE("coherence does not count where the fields are stronger than the couplings") {
  GivenProblem<double> cells = two_cells();
  for (double& field : cells.hidden_fields) field = 1.375;  // of at most 2, so not pinned
  for (double& field : cells.output_fields) field = -1.375;
  check_scales(cells);
  CHECK(Scales(cells).g(1) == doctest::Approx(std::sqrt(1.0 + 1.375 * 1.375)).epsilon(1e-3));
}

TEST_CASE("a small part in which all couple to all is not looked at") {
  GivenProblem<double> square({2, 2});
  for (const double last : {-1.0, 1.0}) {
    square.couplings = {1.0, 1.0, 1.0, last};
    check_scales(square);
    CHECK(Scales(square).g(0) == doctest::Approx(std::sqrt(2.0)).epsilon(1e-14));
  }
}

TEST_CASE("one strong coupling of a complete part counts for its two spins only") {
  Random random(7);
  for (const double strong : {1.0, 8.0, 400.0}) {
    CAPTURE(strong);
    GivenProblem<double> problem({6, 7});
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t a = 0; a < 7; ++a) {
        problem.coupling(i, a) = coarse(random, 1, 0.5, 1.0).front() * (random.below(2) ? 1 : -1);
      }
    }
    problem.coupling(2, 3) = strong;
    problem.hidden_fields = coarse(random, 6, -1.0, 1.0);
    problem.output_fields = coarse(random, 7, -1.0, 1.0);
    check_scales(problem);

    const PlainScales expected(problem);
    CHECK(expected.has_one_scale == (strong < 16.0));
    if (strong > 16.0) CHECK(expected.q[0] < 3.0);
    // Beside another part, where spins are visited one by one.
    GivenProblem<double> beside({7, 8});
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t a = 0; a < 7; ++a) beside.coupling(i, a) = problem.coupling(i, a);
    }
    beside.coupling(6, 7) = 1.0;
    beside.hidden_fields.assign(7, 0.0);
    beside.output_fields.assign(8, 0.0);
    check_scales(beside);
  }
}

TEST_CASE("where a field nearly cancels the couplings, the spin freezes at the difference") {
  // An independent set on a ring, with weights of 1 and a penalty: h = penalty / 2 - 1 / 2.
  for (const double penalty : {2.0, 50.0, 1e7}) {
    CAPTURE(penalty);
    GivenProblem<double> problem({10, 10});
    for (std::int64_t a = 0; a < 10; ++a) {
      problem.coupling(a, a) = problem.coupling((a + 1) % 10, a) = penalty / 4.0;
    }
    problem.hidden_fields.assign(10, penalty / 2.0 - 0.5);
    problem.output_fields.assign(10, penalty / 2.0 - 0.5);
    check_scales(problem);
    const double own = penalty / 4.0 * std::sqrt(2.0);
    CHECK(PlainScales(problem).q[0] ==
          doctest::Approx(penalty > 1e6 ? own : std::min(own, std::max(1.5, own / 1000.0))));
  }
}

TEST_CASE("a ferromagnet of many neighbours adds up, but with zeros it is not looked at") {
  Random random(9);
  for (const bool has_zeros : {false, true}) {
    for (const double wrong : {0.0, 0.1, 0.5}) {
      GivenProblem<double> problem({64, 48});
      for (double& coupling : problem.couplings) {
        coupling = random.uniform(0.0, 1.0) < wrong ? 1.0 : -1.0;
      }
      for (std::int64_t i = 0; has_zeros && i < 64; ++i) problem.coupling(i, i % 48) = 0.0;
      const double right = has_zeros ? 0.0 : 1.0 - 2.0 * wrong;
      const double order = right * right;  // c^(1/2)
      const double squares =
          (64.0 * (48.0 + order * 48.0 * 47.0) + 48.0 * (64.0 + order * 64.0 * 63.0)) / 112.0;
      CHECK(Scales(problem).g(0) == doctest::Approx(std::sqrt(squares)).epsilon(0.05));
    }
  }
}

/// Returns a chain of spins whose first half has couplings of 128, and whose second half has 1.
GivenProblem<double> two_halves() {
  GivenProblem<double> problem({20, 19});
  for (std::int64_t a = 0; a < 19; ++a) {
    problem.coupling(a, a) = problem.coupling(a + 1, a) = a < 10 ? 128.0 : 1.0;
  }
  return problem;
}

TEST_CASE("spins of two scales in one part share the sweeps, by weights of at most 2 and 1 / 2") {
  const GivenProblem<double> problem = two_halves();
  const PlainScales expected(problem);
  REQUIRE(!expected.has_one_scale);
  check_scales(problem);
  // At 1 / sqrt(1 * 128) the strong half is frozen, and the weak one is free.
  const double strong = 2.0 / (2.0 + 0.5);
  CHECK(expected.share(1.0) == doctest::Approx(strong).epsilon(0.05));
}

TEST_CASE("outside the range of the rule the reduced beta grows in proportion") {
  const Scales found(two_halves());
  CHECK(found.scales.reduced(88.0) ==
        doctest::Approx(10.0 * found.scales.reduced(8.8)).epsilon(1e-12));
  CHECK(found.scales.reduced(0.088) ==
        doctest::Approx(0.1 * found.scales.reduced(0.88)).epsilon(1e-12));
  double last = 0.0;
  for (double relative = 0.01; relative < 100.0; relative *= 1.01) {
    CHECK(found.scales.reduced(relative) > last);
    last = found.scales.reduced(relative);
  }
}

/// Returns parts of four spins each, where part k is 2^(power k) times the first one.
GivenProblem<double> scaled_parts(std::int64_t count, int power) {
  GivenProblem<double> problem({2 * count, 2 * count});
  for (std::int64_t part = 0; part < count; ++part) {
    const double scale = std::ldexp(1.0, power * static_cast<int>(part));
    const std::int64_t first = 2 * part;
    problem.coupling(first, first) = scale;
    problem.coupling(first, first + 1) = -0.5 * scale;
    problem.coupling(first + 1, first + 1) = 2.0 * scale;
    problem.hidden_fields[size(first)] = 0.25 * scale;
  }
  return problem;
}

TEST_CASE("parts that share no coupling have scales of their own") {
  for (const int power : {0, 1, 5, 12, 200}) {
    CAPTURE(power);
    const GivenProblem<double> problem = scaled_parts(3, power);
    const Scales found(problem), alone(scaled_parts(1, power));
    check_scales(problem);
    for (const std::int64_t part : {0, 1, 2}) {
      const double g = std::ldexp(alone.g(0), power * static_cast<int>(part));
      for (const std::int64_t k : {2 * part, 2 * part + 1, 6 + 2 * part}) {
        CHECK(found.g(k) == doctest::Approx(g).epsilon(1e-12));
      }
    }
    for (const double relative : kRelative) {
      CHECK(found.scales.reduced(relative) ==
            doctest::Approx(alone.scales.reduced(relative)).epsilon(1e-12));
    }
  }
}

TEST_CASE("a problem times a power of two has the same reduced betas, and scales times it") {
  Random random(4);
  for (const bool mixed : {false, true}) {
    GivenProblem<double> problem = open_chain(20, random, 0.7);
    if (mixed) {
      for (std::int64_t i = 0; i < 10; ++i) {
        for (std::int64_t a = 0; a < 19; ++a) problem.coupling(i, a) *= 0x1p8;
      }
    }
    const Scales found(problem);
    for (const int power : {-970, -30, 5, 900}) {
      CAPTURE(power);
      GivenProblem<double> scaled = problem;
      for (auto* part : {&scaled.couplings, &scaled.hidden_fields, &scaled.output_fields}) {
        for (double& value : *part) value = std::ldexp(value, power);
      }
      const Scales other(scaled);
      for (const double relative : kRelative) {
        CHECK(other.scales.reduced(relative) == found.scales.reduced(relative));
      }
      for (const std::int64_t k : {0, 7, 25}) {
        CHECK(other.g(k) == doctest::Approx(std::ldexp(found.g(k), power)).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("where nothing is free the scale of a part is its largest field, or any without one") {
  GivenProblem<double> problem({2, 3});
  problem.couplings = {0.5, 0.0, 0.0, 0.0, 0.0, 0.0};
  problem.hidden_fields = {8.0, -3.0};
  problem.output_fields = {-16.0, 2.0, 0.0};
  const Scales found(problem);
  CHECK(found.g(0) == doctest::Approx(16.0).epsilon(1e-14));  // with output 0
  CHECK(found.g(2) == doctest::Approx(16.0).epsilon(1e-14));
  CHECK(found.g(1) == doctest::Approx(3.0).epsilon(1e-14));
  CHECK(found.g(3) == doctest::Approx(2.0).epsilon(1e-14));
  for (const double relative : kRelative) CHECK(found.scales.reduced(relative) == relative);

  const Scales nothing{GivenProblem<double>({2, 3})};
  for (const double relative : kRelative) CHECK(nothing.scales.reduced(relative) == relative);
  const GivenProblem<double> single({{1, 1}, {0.25}, {0.0}, {0.0}});
  CHECK(Scales(single).g(0) == doctest::Approx(0.25).epsilon(1e-14));
  check_scales(single);
}

TEST_CASE("the scales of a problem do not depend on those that were loaded before it") {
  Random random(5);
  GivenProblem<double> batch = open_chain(20, random, 0.2);
  const Numbers strong = coarse(random, 20, -8.0, 8.0), weak = coarse(random, 19, -0.1, 0.1);
  batch.hidden_fields.insert(batch.hidden_fields.end(), strong.begin(), strong.end());
  batch.output_fields.insert(batch.output_fields.end(), weak.begin(), weak.end());
  check_scales(batch, 0);
  check_scales(batch, 1);
}

}  // namespace
}  // namespace isingprop::test
