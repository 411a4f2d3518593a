#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "support/scalar_rotors.h"

namespace isingprop::test {
namespace {

struct Result {
  std::vector<std::int8_t> spins;
  std::vector<float> angles;

  bool operator==(const Result& other) const {
    return spins == other.spins && same_bits(angles, other.angles);
  }
};

/// An anneal of a model from strong to no transverse field, as a caller plans it.
struct Task {
  GivenRotors given{30, 0.25};
  std::vector<double> transverse, longitudinal, gains, widths;
  std::vector<float> initial;
  RotorPlan plan;

  explicit Task(std::int64_t num_sweeps, std::int64_t num_reads = 70)
      : plan{.num_sweeps = num_sweeps,
             .transverse = nullptr,
             .longitudinal = nullptr,
             .gains = nullptr,
             .widths = nullptr,
             .num_reads = num_reads,
             .first_read = 3,
             .seed = 11,
             .stream = 5,
             .initial = nullptr,
             .one_initial_row = false,
             .num_threads = 1} {
    for (std::int64_t t = 0; t < num_sweeps; ++t) {
      const double s = static_cast<double>(t + 1) / static_cast<double>(num_sweeps);
      transverse.push_back(4.0 * (1.0 - s));
      longitudinal.push_back(6.0 * s);
      gains.push_back(1.0 - 0.5 * s);
      widths.push_back(std::fmin(1.0, transverse.back() / longitudinal.back()));
    }
    plan.transverse = transverse.data();
    plan.longitudinal = longitudinal.data();
    plan.gains = gains.data();
    plan.widths = widths.data();
  }
  Task(const Task&) = delete;  // the plan points into this one

  void start_from(std::vector<float> angles) {
    initial = std::move(angles);
    plan.initial = initial.data();
    plan.one_initial_row = std::ssize(initial) == given.num_rotors;
  }

  Result run(Interrupt& interrupt) const {
    const std::size_t count = size(plan.num_reads * given.num_rotors);
    Result result{.spins = std::vector<std::int8_t>(count), .angles = std::vector<float>(count)};
    anneal_rotors(given.model(), plan, result.spins.data(), result.angles.data(), interrupt);
    return result;
  }
  Result run() const {
    Interrupt interrupt = never();
    return run(interrupt);
  }

  /// Returns one read of the scalar twin.
  std::vector<float> twin_of(std::int64_t read) const {
    const auto number = static_cast<std::uint64_t>(plan.first_read + read);
    ScalarRotors twin(given, stream_key(plan.seed, plan.stream, number));
    if (plan.initial != nullptr) {
      const float* row = plan.initial + (plan.one_initial_row ? 0 : read * given.num_rotors);
      twin.angles.assign(row, row + given.num_rotors);
    }
    for (std::size_t t = 0; t < transverse.size(); ++t) {
      twin.sweep({.transverse = static_cast<float>(transverse[t] * kLogUnitsPerEnergy),
                  .longitudinal = static_cast<float>(longitudinal[t] * kLogUnitsPerEnergy),
                  .gain = static_cast<float>(gains[t]),
                  .step = static_cast<float>(widths[t] * (static_cast<double>(kPi) * 0x1p-31))});
    }
    return twin.angles;
  }
};

std::vector<float> row_of(const std::vector<float>& rows, std::int64_t row, std::int64_t length) {
  return {rows.begin() + row * length, rows.begin() + (row + 1) * length};
}

TEST_CASE("an anneal is that of its scalar twin, bit for bit") {
  Task task(20);
  std::vector<std::vector<float>> starts = {{}};
  starts.push_back(Random(9).reals<float>(30, 0.0, 3.0));
  starts.push_back(Random(10).reals<float>(70 * 30, 0.0, 3.0));
  for (const std::vector<float>& angles : starts) {
    if (!angles.empty()) task.start_from(angles);
    const Result found = task.run();
    for (std::int64_t read = 0; read < task.plan.num_reads; ++read) {
      const std::vector<float> expected = task.twin_of(read);
      CHECK(same_bits(row_of(found.angles, read, 30), expected));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i] == kHalfPi) continue;
        CHECK((found.spins[size(read * 30) + i] == 1) == (expected[i] < kHalfPi));
      }
    }
  }
}

TEST_CASE("the bits are the same on every table and for any number of threads") {
  for (const std::int64_t num_reads : {1, 7, 64, 65, 130}) {
    Task task(12, num_reads);
    const Result expected = task.run();
    on_every_table([&] {
      for (const int num_threads : {1, 2, 5}) {
        task.plan.num_threads = num_threads;
        CHECK(task.run() == expected);
      }
    });
  }
}

TEST_CASE("a split of the reads over calls gives the same bits") {
  Task whole(12), part(12);
  const Result expected = whole.run();
  std::int64_t done = 0;
  for (const std::int64_t num_reads : {1, 40, 29}) {
    part.plan.num_reads = num_reads;
    part.plan.first_read = whole.plan.first_read + done;
    const Result found = part.run();
    CHECK(
        std::equal(found.angles.begin(), found.angles.end(), expected.angles.begin() + done * 30));
    CHECK(std::equal(found.spins.begin(), found.spins.end(), expected.spins.begin() + done * 30));
    done += num_reads;
  }
  CHECK(done == whole.plan.num_reads);
}

TEST_CASE("seed, stream and read name different random numbers") {
  Task task(12, 2);
  const Result first = task.run();
  CHECK(row_of(first.angles, 0, 30) != row_of(first.angles, 1, 30));
  task.plan.seed = 12;
  const Result seed = task.run();
  task.plan.seed = 11;
  task.plan.stream = 6;
  const Result stream = task.run();
  CHECK(seed.angles != first.angles);
  CHECK(stream.angles != first.angles);
  CHECK(stream.angles != seed.angles);
}

TEST_CASE("the order of couplings and of their ends does not matter") {
  Task task(12), turned(12);
  GivenRotors& given = turned.given;
  std::reverse(given.ends.begin(), given.ends.end());
  std::reverse(given.couplings.begin(), given.couplings.end());
  CHECK(given.ends != task.given.ends);
  CHECK(turned.run() == task.run());
}

TEST_CASE("no sweep returns the start, and spins at pi / 2 are fair coins that calls share") {
  Task task(0, 1000);
  const Result found = task.run();
  CHECK(found.angles == std::vector<float>(30000, kHalfPi));
  const auto heads = std::count(found.spins.begin(), found.spins.end(), 1);
  CHECK(std::abs(static_cast<double>(heads) - 15000.0) < 5.0 * std::sqrt(30000.0) / 2.0);
  CHECK(task.run() == found);

  task.start_from(Random(1).reals<float>(30, 0.0, 3.14));
  task.initial[0] = 0.0f;
  task.initial[1] = kPi;
  task.initial[2] = std::nextafter(kHalfPi, 0.0f);
  task.initial[3] = std::nextafter(kHalfPi, 4.0f);
  const Result started = task.run();
  for (std::int64_t read = 0; read < 1000; ++read) {
    CHECK(same_bits(row_of(started.angles, read, 30), task.initial));
  }
  CHECK(started.spins[0] == 1);
  CHECK(started.spins[1] == -1);
  CHECK(started.spins[2] == 1);
  CHECK(started.spins[3] == -1);
}

TEST_CASE("rotors whose steps have no width stay") {
  Task task(5, 20);
  task.widths.assign(5, 0.0);
  task.start_from(Random(1).reals<float>(30, 0.0, 3.14));
  const Result found = task.run();
  for (std::int64_t read = 0; read < 20; ++read) {
    CHECK(same_bits(row_of(found.angles, read, 30), task.initial));
  }
}

TEST_CASE("a pair that is coupled twice is refused") {
  GivenRotors given(5, 0.0);
  given.couple(1, 4, 0.5);
  given.couple(2, 3, 0.5);
  CHECK_NOTHROW(given.model());
  given.couple(4, 1, 0.25);
  CHECK_THROWS_WITH_AS(given.model(), "ends must have each pair once, got 1 and 4 twice",
                       std::invalid_argument);
}

TEST_CASE("an interrupt ends an anneal, also in the middle of a block") {
  Task task(200000, 64);
  for (const int num_threads : {1, 3}) {
    task.plan.num_threads = num_threads;
    std::atomic<int> polls{0};
    Interrupt interrupt([&] { return ++polls >= 2; });
    CHECK_THROWS_AS(task.run(interrupt), Interrupted);
    CHECK(polls >= 2);
  }
}

}  // namespace
}  // namespace isingprop::test
