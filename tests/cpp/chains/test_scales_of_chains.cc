#include <doctest/doctest.h>

#include <cmath>

#include "chains/chains.h"
#include "support/plain_scales.h"

namespace isingprop::test {
namespace {

constexpr double kTwoOverLn2 = 2.8853900817779268;

/// Chains on one of the problems of a batch.
struct Loaded {
  CouplingGrid grid;
  Chains chains;
  GivenProblem<double> problem;

  Loaded(const GivenProblem<double>& given, BetaUnit unit, std::int64_t b = 0)
      : grid(given.problem()), chains(grid, 1, unit), problem(given) {
    load(b);
  }
  void load(std::int64_t b) { chains.load_fields(problem.problem(), b); }

  /// Returns the slope of spin k, hidden ones first, in 1 / (unit of J).
  double slope(double beta, std::int64_t k) const {
    const bool hidden = k < problem.sizes.num_hidden;
    const Layer& layer = hidden ? chains[0].hidden : chains[0].output;
    const std::int64_t spin = hidden ? k : k - problem.sizes.num_hidden;
    const double gain = layer.gains == nullptr ? 1.0 : double{layer.gains[spin]};
    const std::int64_t at = hidden ? spin : padded(problem.sizes.num_hidden) + spin;
    return std::ldexp(double{chains.slope(beta)} * gain, -grid.exponent(at));
  }
};

/// Returns a problem whose fields are whole multiples of 2^-7, which every grid holds exactly.
GivenProblem<double> random_dense(Sizes sizes, Random& random, double field) {
  GivenProblem<double> problem(sizes,
                               random.reals<double>(sizes.num_hidden * sizes.num_output, -1.0, 1.0),
                               random.reals<double>(sizes.num_hidden, -field, field),
                               random.reals<double>(sizes.num_output, -field, field));
  for (auto* fields : {&problem.hidden_fields, &problem.output_fields}) {
    for (double& value : *fields) value = std::round(value * 128.0) / 128.0;
  }
  return problem;
}

/// Returns the problem beside one more output that has neither couplings nor a field.
GivenProblem<double> beside_nothing(const GivenProblem<double>& problem) {
  const auto [num_hidden, num_output] = problem.sizes;
  GivenProblem<double> more({num_hidden, num_output + 1});
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    for (std::int64_t a = 0; a < num_output; ++a) {
      more.coupling(i, a) = problem.couplings[size(i * num_output + a)];
    }
  }
  more.hidden_fields = problem.hidden_fields;
  std::copy(problem.output_fields.begin(), problem.output_fields.end(), more.output_fields.begin());
  return more;
}

TEST_CASE("dense problems of one scale have it without a look at each spin") {
  Random random(1);
  for (const Sizes& sizes : {Sizes{40, 50}, Sizes{120, 40}, Sizes{64, 65}}) {
    for (const double field : {0.0, 1.0, 20.0, 40.0}) {  // the last two pin some spins
      CAPTURE(field);
      const auto problem = random_dense(sizes, random, field);
      // LocalScales looks at each spin where some coupling is 0.
      Loaded fast(problem, {.relative = true, .largest = 10.0});
      Loaded slow(beside_nothing(problem), {.relative = true, .largest = 10.0});
      REQUIRE(fast.grid.is_dense());
      REQUIRE(!slow.grid.is_dense());
      for (const double beta : {0.0, 0.88, 3.0, 8.8, 100.0}) {
        CHECK(fast.chains.absolute(beta) ==
              doctest::Approx(slow.chains.absolute(beta)).epsilon(1e-6));
        CHECK(fast.slope(beta, 3) == doctest::Approx(slow.slope(beta, 3)).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("small dense problems whose loops are frustrated have the scale of the formulas") {
  GivenProblem<double> hadamard({4, 4});
  hadamard.couplings = {1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1};
  hadamard.hidden_fields = {0.5, 0.0, 6.0, 0.0};  // one is pinned
  const PlainScales expected(hadamard);
  REQUIRE(expected.coherence == 0.0);
  REQUIRE(expected.has_one_scale);
  Loaded found(hadamard, {.relative = true, .largest = 10.0});
  CHECK(found.chains.absolute(3.0) ==
        doctest::Approx(3.0 / (expected.one_scale * expected.g[0])).epsilon(1e-12));
}

/// Returns two parts, of which the second is 2^power times the first, and a pinned spin.
GivenProblem<double> two_parts(int power) {
  GivenProblem<double> problem({5, 4});
  for (const std::int64_t first : {0, 2}) {
    const double scale = first == 0 ? 1.0 : std::ldexp(1.0, power);
    problem.coupling(first, first) = scale;
    problem.coupling(first, first + 1) = -0.5 * scale;
    problem.coupling(first + 1, first + 1) = 2.0 * scale;
    problem.hidden_fields[size(first)] = 0.25 * scale;
  }
  problem.hidden_fields[4] = 0.125;
  return problem;
}

TEST_CASE("each part has the slope of its own scale, in its own units") {
  for (const int power : {0, 3, -12, 40, -300, 400}) {
    CAPTURE(power);
    const GivenProblem<double> problem = two_parts(power);
    const PlainScales expected(problem);
    const Loaded found(problem, {.relative = true, .largest = 8.8});
    for (const double beta : {0.0, 0.88, 2.0, 8.8}) {
      for (const std::int64_t k : {0, 1, 2, 3, 5, 7, 8}) {
        const double slope = kTwoOverLn2 * expected.reduced(std::max(beta, 0.88));
        CHECK(found.slope(beta, k) ==
              doctest::Approx(beta > 0.0 ? slope / expected.g[size(k)] : 0.0).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("absolute slopes are the same for all spins, in whatever units") {
  for (const int power : {0, -12, 40, -300, 600}) {
    CAPTURE(power);
    const double largest = std::ldexp(1.0, -std::max(power, 0));
    const Loaded found(two_parts(power), {.relative = false, .largest = largest});
    CHECK(found.grid.is_graded() == (power != 0));
    for (const double beta : {largest, largest / 3.0, 0.0}) {
      // Gains are floats, which end at 2^-149: the spins of the weaker part then have a slope of 0.
      for (const std::int64_t k : {0, 1, 6, 2, 3, 8}) {
        const bool second = k == 2 || k == 3 || k == 8;
        if (std::abs(power) > 100 && second != (power > 0)) continue;
        CHECK(found.slope(beta, k) == doctest::Approx(kTwoOverLn2 * beta).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("spins of small units follow a beta at which those of large ones are frozen") {
  const Loaded found(two_parts(-300), {.relative = false, .largest = 0x1p300});
  for (const double beta : {0x1p300, 0x1p295}) {
    CHECK(found.slope(beta, 2) == doctest::Approx(kTwoOverLn2 * beta).epsilon(1e-6));
    CHECK(found.slope(beta, 0) >= 0x1p90);  // in the unit of J, which is near that of the fields
  }
}

TEST_CASE("slopes and betas stay finite and ordered at the ends of the range of double") {
  for (const int power : {-990, 990}) {
    GivenProblem<double> problem = two_parts(power);
    Loaded absolute(problem, {.relative = false, .largest = 1e300});
    float last = 0.0f;
    for (const double beta : {0.0, 1e-300, 1.0, 1e290, 1e300}) {
      const float slope = absolute.chains.slope(beta);
      CHECK((slope >= last && slope <= kLargestSlope));
      last = slope;
      CHECK(std::isfinite(absolute.chains.absolute(beta)));
    }
    CHECK(last > 0.0f);  // cold, not hot
    Loaded relative(problem, {.relative = true, .largest = 8.8});
    CHECK(relative.chains.slope(8.8) > relative.chains.slope(0.88));
    CHECK(std::isfinite(relative.chains.absolute(8.8)));
  }
}

TEST_CASE("the beta of free spins is right beside pinned spins that are 2^1900 times stronger") {
  for (const double field : {0x1p-970, 1.0, 1e300}) {
    CAPTURE(field);
    GivenProblem<double> problem({3, 2});
    problem.coupling(0, 0) = 0x1p-980;
    problem.hidden_fields[2] = field;  // pinned, and a part of its own
    Loaded found(problem, {.relative = true, .largest = 8.8});
    CHECK(found.chains.absolute(2.0) == doctest::Approx(std::ldexp(2.0, 980)).epsilon(1e-12));
    CHECK(found.slope(2.0, 0) == doctest::Approx(kTwoOverLn2 * std::ldexp(2.0, 980)).epsilon(1e-6));
  }
}

TEST_CASE("gains are those of the problem that is loaded, whatever was loaded before") {
  // Two parts. Problem 0 has two scales, and the pinned spins of problem 1 leave one.
  constexpr std::int64_t kColumns = 60;
  GivenProblem<double> batch({2, kColumns});
  for (std::int64_t a = 0; a < kColumns; ++a) {
    batch.coupling(0, a) = a % 2 == 0 ? 1.0 : 0.0;
    batch.coupling(1, a) = a % 2 == 0 ? 0.0 : 1.0;
  }
  batch.hidden_fields = {0.0, 0.0, 0.0, 0.0};
  batch.output_fields.assign(2 * kColumns, 0.0);
  for (std::int64_t a = 0; a < kColumns; ++a) {
    if (a % 2 == 0) batch.output_fields[size(a)] = 0.9;
    if (a >= 10) batch.output_fields[size(kColumns + a)] = 2.0;
  }
  const BetaUnit unit{.relative = true, .largest = 10.0};
  Loaded after(batch, unit, 0);
  CHECK(after.chains[0].hidden.gains != nullptr);
  after.load(1);
  const Loaded alone(batch, unit, 1);
  for (const std::int64_t k : {0, 1, 2, 3}) CHECK(after.slope(1.0, k) == alone.slope(1.0, k));
}

TEST_CASE("a pull acts on each spin with the same bias in the unit of J") {
  const GivenProblem<double> problem = two_parts(-20);
  for (const double bias : {0.0, 0x1p-10, 3.0, 1e6}) {
    Loaded found(problem, {.relative = true, .largest = 10.0});
    REQUIRE(found.grid.is_graded());
    const std::vector<std::int8_t> state{1, -1, 1, -1, 1, -1, 1, 1, -1};
    read_spins(state.data(), found.chains[0]);
    found.chains.pull(found.chains[0], bias);
    for (std::int64_t k = 0; k < 9; ++k) {
      const bool hidden = k < 5;
      const Layer& layer = hidden ? found.chains[0].hidden : found.chains[0].output;
      const std::int64_t spin = hidden ? k : k - 5;
      const double field = hidden ? problem.hidden_fields[size(k)] : 0.0;
      const int unit = found.grid.exponent(hidden ? spin : 16 + spin);
      CHECK(std::ldexp(double{layer.own_fields[spin]}, unit) ==
            doctest::Approx(field - bias * state[size(k)]).epsilon(1e-6));
    }
  }
}

TEST_CASE("the largest pull leaves fields finite") {
  Loaded found(two_parts(-900), {.relative = true, .largest = 10.0});
  const std::vector<std::int8_t> state(9, -1);
  read_spins(state.data(), found.chains[0]);
  found.chains.pull(found.chains[0], 1e300);
  for (const std::int64_t spin : {0, 2, 4}) {
    const float field = found.chains[0].hidden.own_fields[spin];
    CHECK((field > 0.0f && field <= 0x1p100f));
  }
}

}  // namespace
}  // namespace isingprop::test
