#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/network/adam.h"
#include "support/common.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

constexpr float kRate = 0.003f;

/// Parameters on their way through several steps, and one number beyond the end of each array.
struct Walk {
  std::vector<float> values, changes, means, squares, drift;

  explicit Walk(std::int64_t count, Random random = Random(7))
      : values(random.reals<float>(count + 1, -1.0, 1.0)),
        changes(size(count + 1)),
        means(size(count + 1)),
        squares(size(count + 1)),
        drift(size(count + 1)) {
    for (std::vector<float>* array : {&values, &changes, &means, &squares, &drift})
      array->back() = -7.0f;
  }

  std::int64_t count() const { return static_cast<std::int64_t>(values.size()) - 1; }

  /// Returns the job of step t, which counts t - 1 times in the drift.
  AdamJob job(int t, bool drifts) {
    return {.values = values.data(),
            .changes = changes.data(),
            .means = means.data(),
            .squares = squares.data(),
            .drift = drifts ? drift.data() : nullptr,
            .count = count(),
            .rate = static_cast<float>(double{kRate} / (1.0 - std::pow(0.9, t))),
            .inverse_square = static_cast<float>(1.0 / (1.0 - std::pow(0.999, t))),
            .weight = static_cast<float>(t - 1)};
  }

  bool has_bits_of(const Walk& other) const {
    return same_bits(values, other.values) && same_bits(changes, other.changes) &&
           same_bits(means, other.means) && same_bits(squares, other.squares) &&
           same_bits(drift, other.drift);
  }
};

/// Sets changes of all sizes, every third of them 0.
void set_changes(Walk& walk, Random& random) {
  for (std::size_t k = 0; k + 1 < walk.changes.size(); ++k) {
    const double scale = std::ldexp(1.0, static_cast<int>(random.below(40)) - 30);
    const double change = scale * random.uniform(-1.0, 1.0);
    walk.changes[k] = k % 3 == 2 ? 0.0f : static_cast<float>(change);
  }
}

/// The rule that kernels/network/adam.cc states, one number after the other.
void scalar_adam(const AdamJob& job) {
  for (std::int64_t k = 0; k < job.count; ++k) {
    const float change = job.changes[k];
    job.means[k] += 0.1f * (change - job.means[k]);
    job.squares[k] += 0.001f * (change * change - job.squares[k]);
    const float length = std::sqrt(job.squares[k] * job.inverse_square) + 1e-8f;
    const float step = job.rate * job.means[k] / length;
    job.values[k] += step;
    job.changes[k] = 0.0f;
    if (job.drift != nullptr) job.drift[k] += job.weight * step;
  }
}

template <class Step>
Walk walked(std::int64_t count, bool drifts, const Step& step) {
  Walk walk(count);
  Random random(11);
  for (int t = 1; t <= 5; ++t) {
    set_changes(walk, random);
    step(walk.job(t, drifts));
  }
  return walk;
}

/// Counts below, at and above whole vectors of 4, 8 and 16 floats.
constexpr std::int64_t kCounts[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 4801};

TEST_CASE("steps of Adam are those of scalar code, to the bit, on every table") {
  for (const std::int64_t count : kCounts) {
    for (const bool drifts : {false, true}) {
      CAPTURE(count);
      CAPTURE(drifts);
      const Walk twin = walked(count, drifts, scalar_adam);
      CHECK((twin.drift.front() != 0.0f) == drifts);
      for (const KernelTable* table : available_kernels()) {
        CAPTURE(std::string(table->name));
        CHECK(walked(count, drifts, table->adam).has_bits_of(twin));
      }
    }
  }
}

TEST_CASE("a first step is as long as the rate, and a change of 0 moves nothing") {
  for (const KernelTable* table : available_kernels()) {
    Walk walk(3);
    walk.values = {1.0f, 1.0f, 1.0f, -7.0f};
    walk.changes = {4.0f, -0.25f, 0.0f, -7.0f};
    table->adam(walk.job(1, false));
    CHECK(walk.values[0] == doctest::Approx(1.0 + kRate).epsilon(1e-6));
    CHECK(walk.values[1] == doctest::Approx(1.0 - kRate).epsilon(1e-6));
    CHECK(walk.values[2] == 1.0f);
    CHECK(walk.changes == std::vector<float>{0.0f, 0.0f, 0.0f, -7.0f});
  }
}

}  // namespace
}  // namespace isingprop::test
