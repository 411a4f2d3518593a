#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "samplers/annealing.h"
#include "support/common.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

struct Result {
  std::vector<std::int8_t> spins;
  std::vector<double> energies;

  bool operator==(const Result&) const = default;
};

/// Several problems under one set of couplings, and a plan of annealing for them.
template <class Real>
class Task {
 public:
  static constexpr std::int64_t kNumProblems = 6, kNumReads = 5;
  std::vector<Real> couplings, hidden_fields, output_fields;
  std::vector<double> betas;
  std::vector<std::uint64_t> streams;
  Problem<Real> problem;
  AnnealingPlan plan;

  explicit Task(Sizes sizes, Random random = Random(1))
      : couplings(random.reals<Real>(sizes.num_hidden * sizes.num_output, -1.0, 1.0)),
        hidden_fields(random.reals<Real>(kNumProblems * sizes.num_hidden, -1.0, 1.0)),
        output_fields(random.reals<Real>(kNumProblems * sizes.num_output, -1.0, 1.0)),
        streams(kNumProblems),
        problem{.couplings = couplings.data(),
                .hidden_fields = hidden_fields.data(),
                .output_fields = output_fields.data(),
                .num_problems = kNumProblems,
                .num_hidden = sizes.num_hidden,
                .num_output = sizes.num_output,
                .one_output_row = false},
        plan{.betas = nullptr,
             .num_sweeps = 30,
             .relative = true,
             .descent = Descent::kAlways,
             .reads = {.num_reads = kNumReads,
                       .seed = 11,
                       .streams = streams.data(),
                       .initial = nullptr,
                       .initial_problem_stride = 0,
                       .initial_read_stride = 0,
                       .num_threads = 1}} {
    for (double beta = 0.5; betas.size() < 30; beta *= 1.125)
      betas.push_back(beta);  // exact on every machine
    plan.betas = betas.data();
    std::iota(streams.begin(), streams.end(), 100u);
  }
  Task(const Task&) = delete;  // problem and plan point into this one

  Result run() const {
    const std::int64_t chains = problem.num_problems * plan.reads.num_reads;
    const std::int64_t num_spins = problem.num_hidden + problem.num_output;
    Result result{std::vector<std::int8_t>(static_cast<std::size_t>(chains * num_spins)),
                  std::vector<double>(static_cast<std::size_t>(chains))};
    Interrupt never([] { return false; });
    std::vector<double> ends(size(2 * problem.num_problems));
    anneal(problem, plan, {result.spins.data(), result.energies.data(), ends.data()}, never);
    return result;
  }
};

Result joined(Result a, const Result& b) {
  a.spins.insert(a.spins.end(), b.spins.begin(), b.spins.end());
  a.energies.insert(a.energies.end(), b.energies.begin(), b.energies.end());
  return a;
}

TEST_CASE_TEMPLATE("the same bits on every table, for any number of threads and any batches", Real,
                   float, double) {
  for (const Sizes& sizes : {Sizes{120, 40}, Sizes{17, 5}}) {
    Task<Real> task(sizes);
    const Result expected = task.run();
    on_every_table([&] {
      for (const int num_threads : {1, 2, 3, 8}) {
        task.plan.reads.num_threads = num_threads;
        CHECK(task.run() == expected);
      }
      Task<Real> first(sizes), rest(sizes);
      first.problem.num_problems = 2;
      rest.problem.num_problems -= 2;
      rest.problem.hidden_fields += 2 * sizes.num_hidden;
      rest.problem.output_fields += 2 * sizes.num_output;
      rest.plan.reads.streams += 2;
      CHECK(joined(first.run(), rest.run()) == expected);
    });
  }
}

// These bits are the same on every processor and stay within a minor version: a change changes the
// numbers of every run.
TEST_CASE("the same bits as on every other machine") {
  const Result single = Task<float>({120, 40}).run(), twice = Task<double>({33, 20}).run();
  CHECK(hash_of(single.spins) == 8076401283591786023u);
  CHECK(hash_of(single.energies) == 28757911163737550u);
  CHECK(hash_of(twice.spins) == 1605118439948738341u);
  CHECK(hash_of(twice.energies) == 17054153375438991364u);
}

TEST_CASE("more reads, and one row of output fields, leave the reads there were as they are") {
  Task<float> task({33, 20}), more({33, 20});
  for (std::size_t k = 20; k < task.output_fields.size(); ++k)
    task.output_fields[k] = task.output_fields[k - 20];
  more.output_fields = task.output_fields;
  more.problem.output_fields = more.output_fields.data();
  more.problem.one_output_row = true;
  more.plan.reads.num_reads = 9;
  const Result few = task.run(), many = more.run();
  for (std::size_t chain = 0; chain < few.energies.size(); ++chain) {
    CHECK(few.energies[chain] == many.energies[chain / 5 * 9 + chain % 5]);
  }
}

TEST_CASE("other seeds, streams and problems give other states") {
  Task<float> task({120, 40});
  const Result before = task.run();
  task.plan.reads.seed += 1;
  CHECK(task.run() != before);
  task.plan.reads.seed -= 1;
  task.streams[0] = 99;
  const Result after = task.run();
  CHECK(!std::equal(before.spins.begin(), before.spins.begin() + 160, after.spins.begin()));
  CHECK(std::equal(before.spins.begin() + 5 * 160, before.spins.end(),
                   after.spins.begin() + 5 * 160));
}

TEST_CASE_TEMPLATE("energies are those of the states, and no flip gains after the descent", Real,
                   float, double) {
  Task<Real> task({33, 20});
  const Result result = task.run();
  std::vector<double> again(result.energies.size());
  Interrupt never([] { return false; });
  energies(task.problem, result.spins.data(), task.plan.reads.num_reads, again.data(), never);
  CHECK(again == result.energies);
  for (std::size_t spin = 0; spin < 53; ++spin) {
    std::vector<std::int8_t> flipped = result.spins;
    for (std::size_t k = spin; k < flipped.size(); k += 53)
      flipped[k] = static_cast<std::int8_t>(-flipped[k]);
    energies(task.problem, flipped.data(), task.plan.reads.num_reads, again.data(), never);
    for (std::size_t k = 0; k < again.size(); ++k)
      CHECK(again[k] > result.energies[k] - 1e-5);  // of the grid
  }
}

TEST_CASE("start states that are minima are kept by a frozen sweep, one for all or one for each") {
  Task<float> task({17, 5});
  const std::vector<std::int8_t> minima = task.run().spins;
  const double frozen = 1e30;
  task.plan.betas = &frozen;
  task.plan.num_sweeps = 1;
  task.plan.descent = Descent::kNever;
  task.plan.reads.initial = minima.data();
  task.plan.reads.initial_read_stride = 22;
  task.plan.reads.initial_problem_stride = 5 * 22;
  CHECK(task.run().spins == minima);

  task.problem.num_problems = 1;
  task.plan.reads.initial_read_stride = 0;
  const Result same = task.run();
  for (std::size_t k = 0; k < same.spins.size(); ++k) CHECK(same.spins[k] == minima[k % 22]);
}

TEST_CASE("relative betas are multiples of 1 / (rms local field of a random state)") {
  Task<double> task({3, 2});
  task.couplings = {1.0, -1.0, 1.0, 1.0, -1.0, 1.0};
  task.hidden_fields = {2.0, 0.0, 0.0};
  task.output_fields = {-2.0, 0.0};
  task.problem.couplings = task.couplings.data();
  task.problem.hidden_fields = task.hidden_fields.data();
  task.problem.output_fields = task.output_fields.data();
  task.problem.num_problems = 1;
  task.plan.reads.num_reads = 100;
  task.plan.descent = Descent::kNever;
  const Result relative = task.run();
  const double rms =
      std::sqrt((4.0 + 4.0 + 2.0 * 6.0) / 5.0);  // 2, so that dividing by it is exact
  for (double& beta : task.betas) beta /= rms;
  task.plan.relative = false;
  CHECK(task.run() == relative);
  task.betas.back() = 0.0;
  CHECK(task.run() != relative);
}

TEST_CASE_TEMPLATE("a problem times a power of two has the same states, however small or large",
                   Real, float, double) {
  Task<Real> task({33, 20});
  const Result expected = task.run();
  const int smallest = sizeof(Real) == sizeof(float) ? -100 : -900;
  for (const int power : {smallest, -30, 1, 90}) {
    Task<Real> scaled({33, 20});
    for (auto* part : {&scaled.couplings, &scaled.hidden_fields, &scaled.output_fields}) {
      for (Real& value : *part) value = std::ldexp(value, power);
    }
    const Result result = scaled.run();
    CHECK(result.spins == expected.spins);
    for (std::size_t k = 0; k < expected.energies.size(); ++k) {
      CHECK(result.energies[k] == std::ldexp(expected.energies[k], power));
    }
  }
}

TEST_CASE("a problem without couplings and fields has energy zero") {
  Task<float> task({3, 2});
  for (auto* part : {&task.couplings, &task.hidden_fields, &task.output_fields})
    part->assign(part->size(), 0.0f);
  for (const double energy : task.run().energies) CHECK(energy == 0.0);
}

TEST_CASE_TEMPLATE("fields that are not finite, or too large, are refused", Real, float, double) {
  using Limits = std::numeric_limits<Real>;
  const Real too_large = sizeof(Real) == sizeof(double) ? Real(2e300) : Limits::infinity();
  for (const Real bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), too_large}) {
    Task<Real> task({17, 5});
    task.plan.reads.num_threads = 2;
    task.output_fields[5 * 4] = bad;
    CHECK_THROWS_WITH_AS(task.run(), "fields must be finite and at most 1e300",
                         std::invalid_argument);
  }
}

TEST_CASE("an interrupt ends long chains soon") {
  Task<float> task({120, 40});
  const std::vector<double> betas(1'000'000, 1.0);  // minutes of work
  task.plan.betas = betas.data();
  task.plan.num_sweeps = 1'000'000;
  for (const int num_threads : {1, 3}) {
    task.plan.reads.num_threads = num_threads;
    std::chrono::steady_clock::time_point asked;
    Interrupt interrupt([&] {
      asked = std::chrono::steady_clock::now();
      return true;
    });
    Result result{std::vector<std::int8_t>(6 * 5 * 160), std::vector<double>(6 * 5)};
    std::vector<double> ends(2 * 6);
    CHECK_THROWS_AS(anneal(task.problem, task.plan,
                           {result.spins.data(), result.energies.data(), ends.data()}, interrupt),
                    Interrupted);
    CHECK(std::chrono::steady_clock::now() - asked <
          std::chrono::seconds(5));  // 0.1 s on an idle machine
    CHECK_THROWS_AS(
        energies(task.problem, result.spins.data(), 5, result.energies.data(), interrupt),
        Interrupted);
  }
}

}  // namespace
}  // namespace isingprop::test
