#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "chains/exact_descent.h"
#include "support/given_problem.h"

namespace isingprop::test {
namespace {

using Spins = std::vector<std::int8_t>;
using Terms = std::vector<double>;

void shuffle(Terms& terms, Random& random) {
  for (std::int64_t k = static_cast<std::int64_t>(terms.size()) - 1; k > 0; --k) {
    std::swap(terms[size(k)], terms[size(random.below(k + 1))]);
  }
}

TEST_CASE("the sum of numbers that cancel but for one is as that one") {
  Random random(1);
  for (int run = 0; run < 2000; ++run) {
    const double rest =
        run % 7 == 0 ? 0.0 : std::ldexp(random.uniform(-1.0, 1.0), -static_cast<int>(run % 900));
    Terms terms{rest};
    for (std::int64_t k = random.below(30); k > 0; --k) {
      const double term =
          std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.below(1900)) - 950);
      terms.push_back(term);
      terms.push_back(-term);
    }
    shuffle(terms, random);
    CHECK(sign_of_sum(terms) == (rest > 0.0) - (rest < 0.0));
  }
}

TEST_CASE("the sign of a sum is that of fixed-point arithmetic") {
  Random random(2);
  int zeros = 0;
  for (int run = 0; run < 5000; ++run) {
    Terms terms;
    ExactSum exact;
    const std::int64_t spread = 1 + random.below(run % 2 == 0 ? 60 : 1900);
    for (std::int64_t k = random.below(12); k > 0; --k) {
      const auto whole = static_cast<double>(random.below(9) - 4);  // many sums are 0
      terms.push_back(std::ldexp(whole, static_cast<int>(random.below(spread) - spread / 2)));
      exact.add(terms.back());
    }
    zeros += exact.sign() == 0;
    CHECK(sign_of_sum(terms) == exact.sign());
  }
  CHECK(zeros > 100);
}

TEST_CASE("signs of sums of denormals, of zeros, of nothing and of the largest numbers") {
  CHECK(sign_of_sum({}) == 0);
  CHECK(sign_of_sum({0.0, -0.0}) == 0);
  CHECK(sign_of_sum({5e-324, -1e300, 1e300}) == 1);
  CHECK(sign_of_sum({1e300, -5e-324, -1e300}) == -1);
  CHECK(sign_of_sum({5e-324, -5e-324}) == 0);
  CHECK(sign_of_sum({1.0, 0x1p-60, 0x1p-120, -1.0, -0x1p-60}) == 1);
  CHECK(sign_of_sum({1e300, 1e-300, -1e300, -1e-300, -0x1p-1000}) == -1);
}

template <class Real>
GivenProblem<Real> pair_of(Real coupling, Real hidden_field, Real output_field = 0) {
  return {{1, 1}, {coupling}, {hidden_field}, {output_field}};
}

TEST_CASE("the worked example of the header: a field within the error of the grid") {
  // With t = +1 the field of s is 2^-40, which the grid of sums of 1 + 2^-40 does not show.
  const auto problem = pair_of<double>(1.0 + 0x1p-40, -1.0, -100.0);
  CHECK(problem.descended({1, 1}) == Spins{-1, 1});
  CHECK(problem.descended({-1, 1}) == Spins{-1, 1});
  const auto opposite = pair_of<double>(1.0 - 0x1p-40, -1.0, -100.0);
  CHECK(opposite.descended({1, 1}) == Spins{1, 1});
  CHECK(opposite.descended({-1, 1}) == Spins{1, 1});
  const auto zero = pair_of<double>(1.0, -1.0, -100.0);  // stays
  CHECK(zero.descended({1, 1}) == Spins{1, 1});
  CHECK(zero.descended({-1, 1}) == Spins{-1, 1});
}

TEST_CASE("a field whose sign double precision leaves open") {
  GivenProblem<double> problem({1, 4});
  problem.couplings = {1.0, 0x1p-30, 0x1p-60, 0x1p-90};
  problem.hidden_fields = {-1.0 - 0x1p-30};
  problem.output_fields = {-9.0, -9.0, -9.0, 9.0};                       // which end as + + + -
  CHECK(problem.descended({1, 1, 1, 1, -1}) == Spins{-1, 1, 1, 1, -1});  // 2^-60 - 2^-90
  problem.hidden_fields = {-1.0 - 0x1p-30 - 0x1p-50};
  CHECK(problem.descended({-1, 1, 1, 1, -1}) == Spins{1, 1, 1, 1, -1});
}

TEST_CASE_TEMPLATE("spins that fall one after the other, each by a field within the error", Real,
                   float, double) {
  // In the chain s_0 - t_0 - s_1 - t_1 ... each spin follows the one before, to which it couples
  // more strongly than to the next one. A strong, balanced pair sets the quantum of each, on which
  // the couplings of the chain vanish.
  constexpr std::int64_t kLength = 12;
  GivenProblem<Real> problem({kLength + 2, kLength + 2});
  Real small = Real(0x1p-10);
  for (std::int64_t k = 0; k < kLength; ++k) {
    problem.coupling(k, k) = -small;  // s_k pulls t_k
    small *= Real(0.9);
    if (k + 1 < kLength) problem.coupling(k + 1, k) = -small;  // t_k pulls s_k+1
    small *= Real(0.9);
    // Two pinned spins of each layer cancel and set the quantum: 2^-24 of 2^17 is larger than
    // small.
    for (const std::int64_t end : {kLength, kLength + 1}) {
      const Real strong = std::ldexp(end == kLength ? Real(1) : Real(-1), 17);
      problem.coupling(k, end) = strong;
      problem.coupling(end, k) = strong;
    }
  }
  for (const std::int64_t end : {kLength, kLength + 1}) {
    problem.hidden_fields[size(end)] = problem.output_fields[size(end)] = Real(-0x1p40);
  }
  problem.hidden_fields[0] = Real(-0x1p-9);  // the first one falls by its own field
  Spins from(size(problem.num_spins()), -1);
  const Spins to = problem.descended(from);
  CHECK(to == Spins(from.size(), 1));
  CHECK(problem.is_minimum(to));
}

TEST_CASE("a descent ends where each spin follows another one on the grids of the two") {
  // On the grid of i, whose quantum is 1, 1.49 is 1 and twice 0.51 is 2, so that i follows -b; a
  // follows i, j follows a, and b follows j, by their finer grids. This circle has no end.
  GivenProblem<double> problem({2, 5});  // i, j | a, b, b', and two pinned spins that cancel
  const double strong = 0x1p22;
  problem.couplings = {-1.49, 0.51, 0.51, strong, strong, -1.05, -0.52, -0.52, 0.0, 0.0};
  problem.output_fields = {0.0, 0.0, 0.0, -0x1p40, 0x1p40};
  const Spins from{1, 1, 1, 1, 1, 1, -1};
  const Spins to = problem.descended(from);
  CHECK(problem.is_minimum(to));
}

/// Returns a number of a random size between the powers of ten.
template <class Real>
Real spread_number(Random& random, double low, double high) {
  const double sign = random.below(2) == 0 ? 1.0 : -1.0;
  return static_cast<Real>(sign * std::pow(10.0, random.uniform(low, high)));
}

/// Returns a random problem of one of several kinds, between 1e-300 and 1e300 in double.
template <class Real>
GivenProblem<Real> random_problem(Random& random, int kind) {
  GivenProblem<Real> problem({1 + random.below(20), 1 + random.below(20)});
  const double most = sizeof(Real) == sizeof(double) ? 298.0 : 36.0, least = -most - 2.0;
  const std::vector<double> scales = random.reals<double>(problem.num_spins(), -most / 2, most / 2);
  const double centre = random.uniform(least, most - 10.0);
  const auto number = [&](std::int64_t i, std::int64_t a) {
    switch (kind) {
      case 0:  // all sizes
        return spread_number<Real>(random, least, most);
      case 1:  // small whole numbers, with ties
        return static_cast<Real>(random.below(7) - 3);
      case 2: {  // sums that nearly cancel
        const int digits = 24 + static_cast<int>(random.below(25));
        const double sign = random.below(2) == 0 ? 1.0 : -1.0;
        return static_cast<Real>(sign + std::ldexp(random.uniform(-1.0, 1.0), -digits));
      }
      case 3:  // a scale for each spin
        return static_cast<Real>(
            random.uniform(-1.0, 1.0) *
            std::pow(10.0, scales[size(i)] + scales[size(problem.sizes.num_hidden + a)]));
      case 4:  // few couplings
        return random.below(4) == 0 ? spread_number<Real>(random, centre, centre + 8.0) : Real(0);
      default:  // whole numbers of two scales
        return static_cast<Real>(
            std::ldexp(static_cast<double>(random.below(5) - 2), random.below(2) == 0 ? 0 : 26));
    }
  };
  for (std::int64_t i = 0; i < problem.sizes.num_hidden; ++i) {
    for (std::int64_t a = 0; a < problem.sizes.num_output; ++a) {
      problem.coupling(i, a) = number(i, a);
    }
  }
  for (Real& field : problem.hidden_fields) field = number(0, 0);
  for (Real& field : problem.output_fields) field = number(0, 0);
  return problem;
}

TEST_CASE_TEMPLATE("after a descent no single flip lowers the energy as it was given", Real, float,
                   double) {
  Random random(3);
  for (int run = 0; run < 1000; ++run) {
    CAPTURE(run);
    const GivenProblem<Real> problem = random_problem<Real>(random, run % 6);
    const Spins to = problem.descended(random.spins(problem.num_spins()));
    CHECK(problem.is_minimum(to));
    CHECK(problem.is_minimum(problem.descended(to)));  // not always the same
  }
}

TEST_CASE_TEMPLATE("a second descent changes nothing where all numbers are on the grid", Real,
                   float, double) {
  Random random(4);
  for (int run = 0; run < 200; ++run) {
    CAPTURE(run);
    const GivenProblem<Real> problem = random_problem<Real>(random, 1);
    const Spins to = problem.descended(random.spins(problem.num_spins()));
    CHECK(problem.descended(to) == to);
  }
}

TEST_CASE("a field that is nothing beside those of other problems still decides") {
  // In problem 0 the spins have fields of 1e300, which set their units; in problem 1, small ones.
  for (const double small : {1e-300, 5e-324, 1e-30, 1.0}) {
    CAPTURE(small);
    GivenProblem<double> problem({2, 2});
    problem.hidden_fields = {1e300, 1e300, small, -small};
    problem.output_fields = {1e300, 1e300, -small, small};
    for (const Spins& from : {Spins{1, 1, 1, 1}, Spins{-1, -1, -1, -1}}) {
      CHECK(problem.descended(from, 0) == Spins{-1, -1, -1, -1});
      CHECK(problem.descended(from, 1) == Spins{-1, 1, 1, -1});
    }
    // The same with couplings that vanish in these units.
    problem.couplings = {-small, 0.0, 0.0, small};
    problem.hidden_fields = {1e300, 1e300, 0.0, 0.0};
    problem.output_fields = {1e300, 1e300, 0.0, 0.0};
    for (const Spins& from : {Spins{1, 1, -1, -1}, Spins{-1, 1, 1, 1}, Spins{-1, -1, 1, 1}}) {
      const Spins to = problem.descended(from, 1);
      CHECK(problem.is_minimum(to, 1));
    }
  }
}

}  // namespace
}  // namespace isingprop::test
