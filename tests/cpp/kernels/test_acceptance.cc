#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "support/instance.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

/// Returns what x must exceed for a spin to flip.
double bar_of(std::uint32_t r) { return std::log2(uniform_of(r) / kMove); }

/// Returns a step to either side of that bar, of the size of the fast test's error or much smaller.
double small_step(Random& random) {
  const double side = random.below(2) == 0 ? -1.0 : 1.0;
  if (random.below(2) == 0) return side * random.uniform(0.0, 8e-3);
  return side * std::exp(random.uniform(std::log(1e-7), std::log(2e-2)));
}

/// Returns an own field that, added to the coupling field k, puts x a small step from the bar.
float close_field(double bar, float slope, int spin, float k, Random& random) {
  constexpr double kTooClose =
      1e-9;  // to tell who is right: the kernel's powers of 2 are right to 1e-11
  for (;;) {
    const double step = small_step(random);
    const double x = random.below(2) == 0 ? bar + step : bar * (1.0 + step);
    const auto own = static_cast<float>(x / double{slope} * spin - double{k});
    const float field = own + k;
    if (std::abs(double{slope} * double{field} * spin - bar) > kTooClose) return own;
  }
}

/// Gives each spin of one layer of the twin a field with which its next decision is a close one.
void make_close(const ScalarChain& twin, ScalarLayer& layer, float slope, Random& random) {
  const std::vector<std::uint32_t> numbers = ScalarChain(twin).draw(layer.spins.size());
  const std::vector<float> k = twin.coupling_fields(layer);
  for (std::size_t i = 0; i < k.size(); ++i) {
    layer.own_fields[i] = close_field(bar_of(numbers[i]), slope, layer.spins[i], k[i], random);
  }
}

/// Checks on every table that one sweep from the spins and random state of `before` ends in
/// `after`.
void check_sweep(const Instance& instance, const ScalarChain& before, const ScalarChain& after,
                 float slope) {
  CAPTURE(slope);
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    ChainMemory chain(instance.grid, after.hidden.own_fields, after.output.own_fields, 0);
    const std::vector<std::uint32_t> words = before.words();
    std::copy(words.begin(), words.end(), chain.generator.get());
    chain.hidden.set_spins(before.hidden.spins);
    chain.output.set_spins(before.output.spins);
    table->anneal(chain.view(), &slope, 1, true);
    check_same(chain, after);
  }
}

/// Checks a sweep in which every decision is a close one.
void check_close_sweep(const Instance& instance, const ScalarChain& before, float slope,
                       Random& random) {
  ScalarChain twin = before;
  for (ScalarLayer* layer : {&twin.hidden, &twin.output}) {
    make_close(twin, *layer, slope, random);
    twin.half_sweep(*layer, slope);
  }
  check_sweep(instance, before, twin, slope);
}

/// Returns the state of a generator whose first numbers are the given ones, lane by lane.
std::vector<std::uint32_t> words_before(const std::vector<std::uint32_t>& numbers, Random& random) {
  std::vector<std::uint32_t> words(kGeneratorWords);
  for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random.word());
  for (std::size_t l = 0; l < kBlock; ++l)
    words[l] = numbers[l] - words[3 * kBlock + l];  // a + d comes out
  return words;
}

TEST_CASE("every close call is decided by the rule, on every table") {
  Random random(1);
  for (const Sizes& sizes : {Sizes{130, 70}, Sizes{64, 48}, Sizes{17, 300}}) {
    for (const float slope : {1e-3f, 1e-2f, 0.1f, 0.7f, 1.0f, 3.3f, 20.0f, 1e3f, 1e4f, 1e6f}) {
      const double sum_of_couplings =
          0.5 * static_cast<double>(std::max(sizes.num_hidden, sizes.num_output));
      Instance instance(
          sizes, 2, sum_of_couplings * double{slope});  // coupling fields count in x, and no more
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        if (seed == 10) instance.remove_couplings();
        ScalarChain twin = instance.twin(seed);
        twin.seed_signs();
        check_close_sweep(instance, twin, slope, random);
      }
    }
  }
}

TEST_CASE("close calls of the smallest random numbers are decided by the rule") {
  Random random(2);
  Instance instance({kBlock, 1}, 1);
  instance.remove_couplings();
  for (int k = 0; k < 2000; ++k) {
    std::vector<std::uint32_t> numbers;
    for (int l = 0; l < kBlock; ++l) {
      numbers.push_back(static_cast<std::uint32_t>(random.word() >> (32 + random.below(32))));
    }
    ScalarChain twin = instance.twin(0);
    twin.hidden.spins = random.spins(kBlock);
    twin.output.spins = random.spins(1);
    twin.set_words(words_before(numbers, random));
    check_close_sweep(instance, twin, k % 2 == 0 ? 1.0f : 0.3f, random);
  }
}

/// One decision: a random number r, a gain s_i f_i, and whether the spin flips.
struct Edge {
  std::uint32_t r;
  float slope, gain;
  bool flips;
};

constexpr std::uint32_t kJustBelow = 0xfbffffff, kJustAt = 0xfc000000,
                        kTop = 0xffffffff;  // kMove of the range of r
constexpr float kTiny = 0x1p-149f, kHuge = 1e30f;

constexpr Edge kEdges[] = {
    // A random number of zero stands for 2^-158, which is kMove * 2^-157.97728.
    {0, 1.0f, -157.977f, true},
    {1, 1.0f, -157.977f, true},
    {2, 1.0f, -157.977f, false},
    {0, 1.0f, -157.9776f, false},
    {1, 1.0f, -157.9776f, false},
    {0, 1.0f, -157.99f, false},
    {0, 1.0f, -158.0f, false},
    {0, 1.0f, -158.001f, false},
    {0, 1.0f, -159.0f, false},
    {0, 1.0f, -1000.0f, false},
    {0, 1.0f, -2000.0f, false},
    {0, 1.0f, -kHuge, false},
    {0, kLargestSlope, -kHuge, false},
    {0, kLargestSlope, -kTiny, true},
    {0, 0.0f, -kHuge, true},
    // The smallest number above zero, 2^-31 = kMove * 2^-30.97728.
    {2, 1.0f, -30.977f, true},
    {3, 1.0f, -30.977f, true},
    {2, 1.0f, -30.9776f, false},
    // No number from kMove up flips a spin, and at x >= 0 every number below it does.
    {kJustBelow, 1.0f, 0.0f, true},
    {kJustBelow, 1.0f, -0.0f, true},
    {kJustBelow, 1.0f, kTiny, true},
    {kJustBelow, 1.0f, -kTiny, true},
    {kJustBelow, 1.0f, 1e-6f, true},
    {kJustBelow, 1.0f, -1e-8f, false},
    {kJustBelow, 1.0f, 1.0f, true},
    {kJustBelow, 1.0f, kHuge, true},
    {kJustBelow, 1.0f, -kHuge, false},
    {kJustBelow - 1, 1.0f, 0.0f, true},
    {kJustAt, 1.0f, 0.0f, false},
    {kJustAt, 1.0f, -0.0f, false},
    {kJustAt, 1.0f, 1e-6f, false},
    {kJustAt, 1.0f, 0.004f, false},
    {kJustAt, 1.0f, 1.0f, false},
    {kJustAt, 1.0f, kHuge, false},
    {kJustAt, kLargestSlope, kHuge, false},
    {kTop, 1.0f, 0.0f, false},
    {kTop, 1.0f, 1.0f, false},
    {kTop, kLargestSlope, kHuge, false},
    // At slope 0 fields have no effect.
    {kJustBelow, 0.0f, 0.0f, true},
    {kJustBelow, 0.0f, -0.0f, true},
    {kJustBelow, 0.0f, kHuge, true},
    {kJustBelow, 0.0f, -kHuge, true},
    {kJustAt, 0.0f, kHuge, false},
    {kJustAt, 0.0f, -kHuge, false},
    {kTop, 0.0f, 0.0f, false},
    // At the largest slope only the sign of a field has an effect; a field of 0 counts as a gain.
    {kJustBelow, kLargestSlope, 0.0f, true},
    {kJustBelow, kLargestSlope, -0.0f, true},
    {kJustBelow, kLargestSlope, 1e-20f, true},
    {kJustBelow, kLargestSlope, kHuge, true},
    {2, kLargestSlope, -1e-20f, false},
    {2, kLargestSlope, -kHuge, false},
    {kJustBelow, kLargestSlope, -1e-20f, false},
    // A number equal to the bar does not flip: u = kMove / 2 and u = kMove / 2^25.
    {0x7e000000 - 2, 1.0f, -1.0f, true},
    {0x7e000000, 1.0f, -1.0f, false},
    {2 * 62 + 1, 1.0f, -25.0f, true},
    {2 * 63, 1.0f, -25.0f, false},
    // At x = -1 - log2(kMove) = -0.97728 half of all numbers flip a spin.
    {0x7fffffff, 1.0f, -0.9772f, true},
    {0x80000000, 1.0f, -0.9772f, true},
    {0x80000000, 1.0f, -0.9773f, false},
};

TEST_CASE("the rule at its edges") {
  Random random(3);
  Instance instance({13, 1}, 1);
  instance.remove_couplings();
  for (const Edge& edge : kEdges) {
    CAPTURE(edge.r);
    CAPTURE(edge.gain);
    CHECK(flips(edge.r, double{edge.slope} * double{edge.gain}) == edge.flips);
    ScalarChain before = instance.twin(0);
    before.hidden.spins = random.spins(13);
    before.output.spins = random.spins(1);
    before.set_words(words_before(std::vector<std::uint32_t>(kBlock, edge.r), random));
    for (std::size_t i = 0; i < 13; ++i) {
      before.hidden.own_fields[i] = before.hidden.spins[i] < 0 ? -edge.gain : edge.gain;
    }
    ScalarChain after = before;
    after.sweep(edge.slope);
    for (std::size_t i = 0; i < 13; ++i)
      CHECK((after.hidden.spins[i] != before.hidden.spins[i]) == edge.flips);
    check_sweep(instance, before, after, edge.slope);
  }
}

TEST_CASE("spins flip as often as the rule says: kMove * 2^min(x, 0) of the time") {
  constexpr std::int64_t kSweeps = 2000, kSpins = 64;
  for (const float x : {1.0f, 0.0f, -0.5f, -1.0f, -3.0f, -6.0f}) {
    Instance instance({kSpins, 1}, 1);
    instance.remove_couplings();
    instance.hidden_fields.assign(kSpins, x);
    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      CAPTURE(x);
      ChainMemory chain = instance.chain(9);
      std::int64_t flips = 0;
      const float slope = 1.0f;
      for (std::int64_t sweep = 0; sweep < kSweeps; ++sweep) {
        chain.hidden.set_spins(std::vector<std::int8_t>(kSpins, 1));
        table->anneal(chain.view(), &slope, 1, true);
        for (const std::int8_t spin : chain.hidden.spins()) flips += spin < 0;
      }
      const double chance = kMove * std::exp2(std::min(double{x}, 0.0)), all = kSweeps * kSpins;
      CHECK(std::abs(static_cast<double>(flips) - chance * all) <
            5.0 * std::sqrt(chance * (1.0 - chance) * all));
    }
  }
}

}  // namespace
}  // namespace isingprop::test
