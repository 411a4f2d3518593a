#include <doctest/doctest.h>

#include <cmath>

#include "samplers/annealing.h"
#include "support/given_problem.h"
#include "support/tempering_task.h"

namespace isingprop::test {
namespace {

using Spins = std::vector<std::int8_t>;
using Betas = std::vector<double>;

/// Returns the states of 20 reads of each problem.
Spins annealed(const Problem<double>& problem, const Betas& betas, bool relative, Descent descent) {
  constexpr std::int64_t kReads = 20;
  std::vector<std::uint64_t> streams(size(problem.num_problems));
  for (std::size_t b = 0; b < streams.size(); ++b) streams[b] = b;
  const AnnealingPlan plan{.betas = betas.data(),
                           .num_sweeps = static_cast<std::int64_t>(betas.size()),
                           .relative = relative,
                           .descent = descent,
                           .reads = {.num_reads = kReads,
                                     .seed = 5,
                                     .streams = streams.data(),
                                     .initial = nullptr,
                                     .initial_problem_stride = 0,
                                     .initial_read_stride = 0,
                                     .num_threads = 1}};
  Spins spins(size(problem.num_problems * kReads * problem.num_spins()));
  std::vector<double> energies(size(problem.num_problems * kReads));
  Interrupt interrupt = never();
  std::vector<double> ends(size(2 * problem.num_problems));
  anneal(problem, plan, {spins.data(), energies.data(), ends.data()}, interrupt);
  return spins;
}

Betas rising(int count, double first, double factor) {
  Betas betas;
  for (double beta = first; count > 0; --count, beta *= factor) betas.push_back(beta);
  return betas;
}

TEST_CASE("a read descends where its last beta is at least 4 relative to its problem") {
  Batch<double> batch({3, 2}, known_couplings());
  batch.take_known_fields();  // the rms local field is 2
  const auto descends = [&](double last, bool relative) {
    const Betas betas{0.0, last};  // so few sweeps end where flips still lower the energy
    const Spins where_cold = annealed(batch.problem, betas, relative, Descent::kWhereCold);
    const bool always = where_cold == annealed(batch.problem, betas, relative, Descent::kAlways);
    const bool never_does = where_cold == annealed(batch.problem, betas, relative, Descent::kNever);
    CHECK(always != never_does);
    return always;
  };
  CHECK(descends(4.0, true));
  CHECK(descends(40.0, true));
  CHECK(!descends(std::nextafter(4.0, 0.0), true));
  CHECK(!descends(0.0, true));
  CHECK(descends(2.0, false));
  CHECK(!descends(std::nextafter(2.0, 0.0), false));
  batch.scale(-500);
  CHECK(descends(std::ldexp(2.0, 500), false));
  CHECK(!descends(std::ldexp(1.9, 500), false));
}

TEST_CASE("whether a read descends is decided for each problem") {
  // Problem 1 has fields that are 8 times larger, and so have its betas.
  GivenProblem<double> batch({2, 2});
  batch.couplings = {1.0, -1.0, 1.0, 1.0};
  batch.hidden_fields = {0.25, 0.125, 1.9, -1.8};
  batch.output_fields = {0.0, 0.0, 1.7, 1.9};
  const double relative = 4.0;
  double thresholds[2];
  absolute_betas(batch.problem(), &relative, 1, thresholds);
  REQUIRE(thresholds[0] > 1.2 * thresholds[1]);
  const Betas betas{0.0, 1.1 * thresholds[1]};
  const Spins found = annealed(batch.problem(), betas, false, Descent::kWhereCold);
  const Spins always = annealed(batch.problem(), betas, false, Descent::kAlways);
  const Spins never_does = annealed(batch.problem(), betas, false, Descent::kNever);
  CHECK(row_of(found, 0, 80) == row_of(never_does, 0, 80));
  CHECK(row_of(found, 1, 80) == row_of(always, 1, 80));
  CHECK(always != never_does);
}

TEST_CASE("absolute betas are those that relative ones stand for, in each problem") {
  Batch<double> batch({3, 2}, known_couplings());
  batch.take_known_fields();
  batch.hidden_fields[3] = 1.0;  // of problem 1
  const Betas relative{0.0, 0.88, 4.0, 100.0};
  Betas found(6 * relative.size());
  absolute_betas(batch.problem, relative.data(), 4, found.data());
  const double rms = std::sqrt((1.0 + 4.0 + 12.0) / 5.0);
  for (std::size_t b = 0; b < 6; ++b) {
    for (std::size_t k = 0; k < 4; ++k) {
      CHECK(found[4 * b + k] == doctest::Approx(relative[k] / (b == 1 ? rms : 2.0)).epsilon(1e-14));
    }
  }
}

TEST_CASE("relative betas give the states of the absolute betas that they stand for") {
  // One part whose scales are more than a factor of 4 apart.
  Random random(1);
  GivenProblem<double> problem({20, 19});
  for (std::int64_t a = 0; a < 19; ++a) {
    for (const std::int64_t i : {a, a + 1}) {
      problem.coupling(i, a) = random.uniform(-1.0, 1.0) * (a < 10 ? 16.0 : 1.0);
    }
  }
  const Betas relative = rising(30, 0.88, 1.083);
  Betas absolute(relative.size());
  absolute_betas(problem.problem(), relative.data(), 30, absolute.data());
  CHECK(absolute.back() / absolute.front() > 20.0);
  for (const Descent descent : {Descent::kNever, Descent::kAlways}) {
    CHECK(annealed(problem.problem(), relative, true, descent) ==
          annealed(problem.problem(), absolute, false, descent));
  }
}

/// Returns two random parts of 16 + 16 spins, of which the second is 2^power times as strong, and
/// whose numbers are on the grid whatever the power.
GivenProblem<double> two_parts(int power) {
  Random random(2);
  GivenProblem<double> problem({32, 32});
  const auto number = [&](std::int64_t i) {
    const double value = std::round(random.uniform(-1.0, 1.0) * 512.0) / 512.0;
    return i < 16 ? value : std::ldexp(value, power);
  };
  for (std::int64_t i = 0; i < 32; ++i) {
    for (std::int64_t a = 0; a < 16; ++a) problem.coupling(i, i / 16 * 16 + a) = number(i);
    problem.hidden_fields[size(i)] = number(i);
    problem.output_fields[size(i)] = number(i);
  }
  return problem;
}

TEST_CASE("each of two parts has the states that it has at any other scale, bit for bit") {
  const Betas betas = rising(30, 0.88, 1.083);
  for (const Descent descent : {Descent::kNever, Descent::kAlways}) {
    const Spins equal = annealed(two_parts(0).problem(), betas, true, descent);
    for (const int power : {-300, -12, -3, 3, 12, 300, 900}) {
      CAPTURE(power);
      CHECK(annealed(two_parts(power).problem(), betas, true, descent) == equal);
    }
  }
}

TEST_CASE("each of two parts follows the distribution of its own temperature") {
  // Two pairs of spins, of which one is 2^-300 times weaker, at constant beta: a pair is aligned
  // with probability 1 / (1 + exp(-2 beta J)), in each part.
  GivenProblem<double> problem({2, 2});
  problem.couplings = {-1.0, 0.0, 0.0, -0x1p-300};
  const double beta = 0.7;
  std::int64_t aligned[2] = {0, 0}, count = 0;
  GivenProblem<double> batch = problem;
  for (int copy = 1; copy < 400; ++copy) {
    append(batch.hidden_fields, problem.hidden_fields);
    append(batch.output_fields, problem.output_fields);
  }
  const Spins spins = annealed(batch.problem(), Betas(40, beta), true, Descent::kNever);
  for (std::size_t k = 0; k < spins.size(); k += 4, ++count) {
    aligned[0] += spins[k] == spins[k + 2];
    aligned[1] += spins[k + 1] == spins[k + 3];
  }
  const double p = 1.0 / (1.0 + std::exp(-2.0 * beta)), n = static_cast<double>(count);
  const double sigma = std::sqrt(n * p * (1.0 - p));
  for (const std::int64_t number : aligned) {
    CHECK(std::abs(static_cast<double>(number) - n * p) < 4.0 * sigma);
  }
}

/// Gives a tempering task two parts.
template <class Task>
void take(Task& task, const GivenProblem<double>& problem) {
  task.couplings = problem.couplings;
  for (std::size_t k = 0; k < task.hidden_fields.size(); ++k) {
    task.hidden_fields[k] = problem.hidden_fields[k % 32];
    task.output_fields[k] = problem.output_fields[k % 32];
  }
  task.problem.couplings = task.couplings.data();
}

TEST_CASE("tempering of two parts swaps and ends as at any other scale of the second one") {
  for (const std::int64_t target : {-1, 3}) {
    for (const bool adaptive : {false, true}) {
      TemperingTask<double> equal(Sizes{32, 32});
      equal.plan.target = target;
      equal.plan.adaptive = adaptive;
      take(equal, two_parts(0));
      const TemperingOutcome expected = equal.run();
      for (const int power : {-300, -12, 300}) {
        CAPTURE(power);
        TemperingTask<double> task(Sizes{32, 32});
        task.plan.target = target;
        task.plan.adaptive = adaptive;
        take(task, two_parts(power));
        const TemperingOutcome found = task.run();
        CHECK(found.spins == expected.spins);
        CHECK(found.round_trips == expected.round_trips);
        CHECK(same_bits(found.acceptance, expected.acceptance));
        // Betas are in 1 / (geometric mean of the scales of both parts).
        CHECK(found.betas[0] ==
              doctest::Approx(std::exp2(-0.5 * power) * expected.betas[0]).epsilon(1e-9));
      }
    }
  }
}

}  // namespace
}  // namespace isingprop::test
