#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "samplers/ladder.h"
#include "support/common.h"

namespace isingprop::test {
namespace {

using Numbers = std::vector<double>;

constexpr double kLeast = 1e-3;  // of rejection in each gap, as ladder.cc has it

/// Slopes and energies at which a swap in gap k gains a weight of 2^-losses[k].
struct Sweep {
  std::vector<float> slopes;
  Numbers energies;

  explicit Sweep(const Numbers& losses) : slopes{0.0f}, energies{0.0} {
    for (const double loss : losses) {
      slopes.push_back(slopes.back() + 2.0f);
      energies.push_back(energies.back() - loss);
    }
  }
};

/// Lets a ladder learn from num_sweeps equal sweeps, and checks that it moves after the last one
/// only.
void adapt(Ladder& ladder, const Numbers& losses, int num_sweeps) {
  const Sweep sweep(losses);
  for (int k = 1; k < num_sweeps; ++k) REQUIRE(!ladder.adapt(sweep.slopes, sweep.energies));
  REQUIRE(ladder.adapt(sweep.slopes, sweep.energies));
}

Ladder ladder_at(const Numbers& betas, std::int64_t fixed = -1) {
  Ladder ladder(static_cast<std::int64_t>(betas.size()), fixed);
  ladder.begin(betas.data());
  return ladder;
}

void check_near(const Numbers& found, const Numbers& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    CHECK(found[k] == doctest::Approx(expected[k]).epsilon(1e-9));
}

TEST_CASE("a swap that brings the lower energy to the colder rung gains weight") {
  const std::vector<float> slopes{1.0f, 3.0f};  // 2 beta / ln 2
  CHECK(Ladder::log2_ratio(slopes, {-5.0, -2.0}, 0) == 3.0);
  CHECK(Ladder::log2_ratio(slopes, {-2.0, -5.0}, 0) == -3.0);
  const double ln2 = std::log(2.0), ratio = std::exp((0.5 * ln2 - 1.5 * ln2) * (-2.0 - -5.0));
  CHECK(ratio == doctest::Approx(std::exp2(-3.0)));
}

TEST_CASE(
    "rungs move to where rejection is shared out equally, in proportion to beta between old "
    "rungs") {
  Ladder ladder = ladder_at({1.0, 2.0, 4.0});
  adapt(ladder, {1.0, 0.0}, 16);  // gap 0 rejects half, gap 1 nothing
  // Half of all, 0.251, is reached 251/501 of the way through the first gap.
  check_near(ladder.betas(), {1.0, 1.0 + 251.0 / 501.0, 4.0});
  adapt(ladder, {0.0, 2.0},
        32);  // 0 and 3/4: half of all is 0.376, of which 0.375 are in the second gap
  const double middle = 1.0 + 251.0 / 501.0;
  check_near(ladder.betas(), {1.0, middle + 0.375 / (0.75 + kLeast) * (4.0 - middle), 4.0});
}

TEST_CASE("a rung may move over several old ones") {
  Ladder ladder = ladder_at({1.0, 2.0, 3.0, 4.0, 5.0});
  adapt(ladder, {1000.0, 0.0, 0.0, 0.0},
        16);  // 1.001 and three times 0.001: all shares end in the first gap
  const double share = (1.0 + 4.0 * kLeast) / 4.0 / (1.0 + kLeast);
  check_near(ladder.betas(), {1.0, 1.0 + share, 1.0 + 2.0 * share, 1.0 + 3.0 * share, 5.0});
  ladder.begin(Numbers{1.0, 2.0, 3.0, 4.0, 5.0}.data());
  adapt(ladder, {0.0, 0.0, 0.0, 1000.0}, 16);
  check_near(ladder.betas(), {1.0, 5.0 - 3.0 * share, 5.0 - 2.0 * share, 5.0 - share, 5.0});
}

TEST_CASE("equal rejections leave the rungs where they are") {
  Ladder ladder = ladder_at({0.5, 0.7, 1.5, 3.0, 3.5});
  for (const double loss : {-1.0, 0.0, 0.3, 1e300}) {
    ladder.begin(Numbers{0.5, 0.7, 1.5, 3.0, 3.5}.data());
    adapt(ladder, {loss, loss, loss, loss}, 16);
    check_near(ladder.betas(), {0.5, 0.7, 1.5, 3.0, 3.5});
  }
}

TEST_CASE("a fixed rung stays, and each side of it is shared out for itself") {
  Ladder ladder = ladder_at({1.0, 2.0, 3.0, 5.0, 7.0}, 2);
  adapt(ladder, {1.0, 0.0, 0.0, 1.0}, 16);
  check_near(ladder.betas(), {1.0, 1.0 + 251.0 / 501.0, 3.0, 7.0 - 251.0 / 501.0 * 2.0, 7.0});
}

TEST_CASE("a ladder whose last rung is fixed moves like any other") {
  Ladder free = ladder_at({1.0, 2.0, 3.0, 5.0}), fixed = ladder_at({1.0, 2.0, 3.0, 5.0}, 3);
  adapt(free, {1.0, 0.2, 0.0}, 16);
  adapt(fixed, {1.0, 0.2, 0.0}, 16);
  CHECK(free.betas() == fixed.betas());
}

TEST_CASE("a round's rejections are a mean over its sweeps, and the next round begins anew") {
  const Sweep rejecting({1.0, 0.0}), accepting({-1.0, -3.0});
  Ladder ladder = ladder_at({1.0, 2.0, 4.0});
  for (int k = 0; k < 12; ++k) ladder.adapt(accepting.slopes, accepting.energies);
  for (int k = 0; k < 4; ++k) ladder.adapt(rejecting.slopes, rejecting.energies);
  const double middle = 1.0 + (0.125 / 2.0 + kLeast) / (0.125 + kLeast);
  check_near(ladder.betas(), {1.0, middle, 4.0});
  adapt(ladder, {0.0, 0.0}, 32);
  check_near(ladder.betas(), {1.0, middle, 4.0});
}

TEST_CASE("rounds are 16, 32, 64 and 128 sweeps long, for each read anew") {
  Ladder ladder = ladder_at({1.0, 2.0, 4.0});
  for (int read = 0; read < 2; ++read) {
    for (const int length : {16, 32, 64, 128}) adapt(ladder, {0.5, 0.1}, length);
    const Sweep sweep({100.0, 100.0});
    for (int k = 0; k < 5; ++k) ladder.adapt(sweep.slopes, sweep.energies);  // forgotten by begin()
    ladder.begin(Numbers{1.0, 2.0, 4.0}.data());
  }
  adapt(ladder, {0.0, 0.0}, 16);
  check_near(ladder.betas(), {1.0, 2.0, 4.0});
}

TEST_CASE("whatever is rejected, rungs rise, and the ends and the fixed rung stay to the bit") {
  Random random(1);
  for (int round = 0; round < 1000; ++round) {
    const std::int64_t num_betas = 2 + random.below(12), fixed = random.below(num_betas + 1) - 1;
    Numbers betas{random.uniform(1e-3, 1.0)}, losses;
    while (static_cast<std::int64_t>(betas.size()) < num_betas) {
      betas.push_back(betas.back() * random.uniform(1.01, 3.0));
      losses.push_back(random.uniform(-1.0, 1.0) * std::exp2(random.uniform(-20.0, 20.0)));
    }
    Ladder ladder = ladder_at(betas, fixed);
    adapt(ladder, losses, 16);
    const Numbers& moved = ladder.betas();
    CHECK(moved.front() == betas.front());
    CHECK(moved.back() == betas.back());
    if (fixed >= 0)
      CHECK(moved[static_cast<std::size_t>(fixed)] == betas[static_cast<std::size_t>(fixed)]);
    for (std::size_t k = 1; k < moved.size(); ++k) CHECK(moved[k - 1] < moved[k]);
  }
}

TEST_CASE("a ladder of one or two rungs has nothing to move") {
  Ladder one = ladder_at({3.0}), two = ladder_at({1.0, 3.0});
  adapt(one, {}, 16);
  adapt(two, {2.0}, 16);
  CHECK(one.betas() == Numbers{3.0});
  CHECK(two.betas() == Numbers{1.0, 3.0});
}

Numbers acceptance(const Ladder& ladder) {
  Numbers result(ladder.betas().size() - 1, -7.0);
  ladder.write_acceptance(result.data());
  return result;
}

TEST_CASE("acceptance is the fraction of swaps tried, NaN where none was") {
  Ladder ladder = ladder_at({1.0, 2.0, 3.0, 4.0});
  for (const bool swapped : {true, false, true, true}) ladder.count(0, swapped);
  ladder.count(2, false);
  CHECK(acceptance(ladder)[0] == 0.75);
  CHECK(std::isnan(acceptance(ladder)[1]));
  CHECK(acceptance(ladder)[2] == 0.0);
  ladder.forget_counts();
  for (const double fraction : acceptance(ladder)) CHECK(std::isnan(fraction));
  ladder.count(1, true);
  CHECK(acceptance(ladder)[1] == 1.0);
  ladder.begin(Numbers{1.0, 2.0, 3.0, 4.0}.data());
  for (const double fraction : acceptance(ladder)) CHECK(std::isnan(fraction));
}

struct Ends {
  std::int64_t first, last;
};

std::int64_t trips(Ladder& ladder, const std::vector<Ends>& history) {
  for (const auto [first, last] : history) ladder.visit(first, last);
  return ladder.round_trips();
}

TEST_CASE("a round trip is counted where a replica comes to the first rung from the last one") {
  Ladder ladder = ladder_at({1.0, 2.0, 3.0});
  CHECK(trips(ladder, {{0, 2}, {0, 2}, {1, 0}}) == 0);  // 0 has gone there, but not come back
  CHECK(trips(ladder, {{2, 0}}) == 1);                  // 2 was there
  CHECK(trips(ladder, {{2, 0}, {2, 1}, {2, 1}}) == 1);  // and comes once, however long it stays
  CHECK(trips(ladder, {{0, 1}}) == 2);
  CHECK(trips(ladder, {{2, 1}, {0, 1}}) ==
        2);  // both have come home before, and not been there again
  CHECK(trips(ladder, {{0, 2}, {2, 0}, {0, 2}}) == 4);
}

TEST_CASE("trips that began before counts were forgotten do not count") {
  Ladder ladder = ladder_at({1.0, 2.0, 3.0});
  CHECK(trips(ladder, {{0, 2}, {2, 1}}) == 1);
  ladder.forget_counts();
  CHECK(ladder.round_trips() == 0);
  CHECK(trips(ladder, {{1, 0}}) == 0);  // 1 was on the last rung before
  CHECK(trips(ladder, {{0, 1}}) == 1);
  ladder.begin(Numbers{1.0, 2.0, 3.0}.data());
  CHECK(trips(ladder, {{1, 2}}) == 0);
}

TEST_CASE("a ladder of one rung has no round trips") {
  Ladder ladder = ladder_at({1.0});
  CHECK(trips(ladder, {{0, 0}, {0, 0}}) == 0);
}

}  // namespace
}  // namespace isingprop::test
