#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "support/instance.h"
#include "support/sparse_couplings.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

/// A random problem whose spins have gains.
struct GainedInstance : Instance {
  std::vector<float> hidden_gains, output_gains;

  /// Gains are 2^x for random x between the bounds.
  GainedInstance(const Instance& instance, double low, double high)
      : Instance{instance.sizes, instance.couplings, 21} {
    Random random(5);
    const auto draw = [&](std::int64_t count) {
      std::vector<float> gains;
      for (std::int64_t k = 0; k < count; ++k) {
        gains.push_back(static_cast<float>(std::exp2(random.uniform(low, high))));
      }
      return gains;
    };
    hidden_gains = draw(sizes.num_hidden);
    output_gains = draw(sizes.num_output);
  }

  ChainMemory chain(std::uint64_t seed) const {
    ChainMemory chain = Instance::chain(seed);
    chain.hidden.set_gains(hidden_gains);
    chain.output.set_gains(output_gains);
    return chain;
  }
  ScalarChain twin(std::uint64_t seed) const {
    ScalarChain twin = Instance::twin(seed);
    twin.hidden.gains = hidden_gains;
    twin.output.gains = output_gains;
    return twin;
  }
};

/// Compares a chain with gains on each table with its twin, after sweeps and in its energy.
void check_gains(const GainedInstance& instance, const std::vector<float>& slopes) {
  CAPTURE(instance.sizes.num_hidden);
  CAPTURE(instance.sizes.num_output);
  ScalarChain twin = instance.twin(7);
  twin.seed_signs();
  for (const float slope : slopes) twin.sweep(slope);
  const std::vector<float> couplings = twin.couplings;
  double sum_of_sizes = 0.0;
  for (const auto* numbers : {&instance.hidden_fields, &instance.output_fields, &couplings}) {
    for (const float number : *numbers) sum_of_sizes += std::abs(double{number});
  }

  std::vector<double> energies;
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    const ChainMemory chain = instance.chain(7);
    table->seed_signs(chain.view());
    table->anneal(chain.view(), slopes.data(), count(slopes), true);
    check_same(chain, twin);
    energies.push_back(table->chain_energy(chain.view()));
    CHECK(std::abs(energies.back() - twin.energy()) <= 1e-13 * sum_of_sizes);
    CHECK(same_bits(std::vector{energies.back()}, std::vector{energies.front()}));
  }
}

TEST_CASE("a chain whose spins have gains is the scalar chain with a slope for each spin") {
  for (const Sizes& sizes : kSizes) {
    const Instance instance(sizes, 1);
    check_gains({instance, -6.0, 0.0}, rising_slopes(30, 1.0f, 1.2f));
    check_gains({instance, -140.0, 0.0}, rising_slopes(10, 1.0f, 1e3f));
  }
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    const Instance instance(sparse.sizes, sparse.couplings, 10);
    check_gains({instance, -6.0, 0.0}, rising_slopes(30, 0.1f, 1.2f));
  }
}

TEST_CASE("a slope times a gain is at most the largest slope") {
  for (const Sizes& sizes : {Sizes{33, 20}, Sizes{1, 1}, Sizes{130, 7}}) {
    const Instance instance(sizes, 2);
    check_gains({instance, -3.0, 0.0}, std::vector<float>(5, kLargestSlope));
    check_gains({instance, 0.0, 0.0}, {0.0f, kLargestSlope, 0.0f, 0x1p-149f});
    // Both factors are larger than any that samplers use, and their product is infinite.
    const GainedInstance huge(instance, 10.0, 20.0);
    ScalarChain twin = huge.twin(7);
    twin.seed_signs();
    const float slope = 0x1p127f;
    for (int sweep = 0; sweep < 4; ++sweep) twin.sweep(slope);
    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      const ChainMemory chain = huge.chain(7);
      table->seed_signs(chain.view());
      table->anneal(chain.view(), std::vector<float>(4, slope).data(), 4, true);
      check_same(chain, twin);
    }
  }
}

TEST_CASE("gains of 1 give the bits of no gains, and a common factor those of another slope") {
  for (const Sizes& sizes : kSizes) {
    const Instance instance(sizes, 3);
    const GainedInstance with_ones(instance, 0.0, 0.0), halves(instance, -1.0, -1.0);
    const std::vector<float> slopes = rising_slopes(20, 0.5f, 1.3f);
    std::vector<float> doubled;
    for (const float slope : slopes) doubled.push_back(2.0f * slope);
    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      const ChainMemory without = with_ones.Instance::chain(1), with = with_ones.chain(1),
                        half = halves.chain(1);
      for (const ChainMemory* chain : {&without, &with, &half}) {
        table->seed_signs(chain->view());
        const std::vector<float>& used = chain == &half ? doubled : slopes;
        table->anneal(chain->view(), used.data(), count(used), true);
      }
      for (const ChainMemory* chain : {&with, &half}) {
        CHECK(chain->hidden.spins() == without.hidden.spins());
        CHECK(chain->output.spins() == without.output.spins());
        CHECK(chain->hidden.fields() == without.hidden.fields());
        CHECK(chain->words() == without.words());
      }
      CHECK(table->chain_energy(with.view()) == table->chain_energy(without.view()));
      CHECK(table->chain_energy(half.view()) == 0.5 * table->chain_energy(without.view()));
    }
  }
}

/// Returns whether s_i f_i <= -tolerance for all spins of a layer.
bool is_settled(const ScalarChain& chain, const ScalarLayer& layer,
                const std::vector<float>& tolerances) {
  const std::vector<float> lowering = chain.gains_of(layer);
  for (std::size_t i = 0; i < lowering.size(); ++i) {
    if (lowering[i] > -tolerances[i]) return false;
  }
  return true;
}

TEST_CASE("a chain is settled where every flip costs at least the tolerance of its spin") {
  for (const Sizes& sizes : kSizes) {
    CAPTURE(sizes.num_hidden);
    CAPTURE(sizes.num_output);
    const Instance instance(sizes, 4);
    ScalarChain end = instance.twin(1);
    end.hidden.spins = Random(1).spins(sizes.num_hidden);
    end.output.spins = Random(2).spins(sizes.num_output);
    end.descend();
    // What a flip of each spin costs, and the same or a little more as the tolerance of one spin.
    std::vector<float> costs = end.gains_of(end.hidden);
    const std::vector<float> output_costs = end.gains_of(end.output);
    costs.insert(costs.end(), output_costs.begin(), output_costs.end());
    for (float& cost : costs) cost = -cost;

    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      ChainMemory chain = instance.chain(1);
      chain.hidden.set_spins(end.hidden.spins);
      chain.output.set_spins(end.output.spins);
      table->descend(chain.view(), true);
      const auto settled = [&](const std::vector<float>& tolerances) {
        const auto middle = tolerances.begin() + sizes.num_hidden;
        const std::vector<float> hidden(tolerances.begin(), middle);
        const std::vector<float> output(middle, tolerances.end());
        chain.hidden.set_tolerances(hidden);
        chain.output.set_tolerances(output);
        const bool found = table->settled(chain.view());
        CHECK(found ==
              (is_settled(end, end.hidden, hidden) && is_settled(end, end.output, output)));
        return found;
      };

      CHECK(settled(std::vector<float>(costs.size(), 0.0f)));
      CHECK(settled(costs));
      for (std::size_t spin = 0; spin < costs.size(); spin += 1 + costs.size() / 40) {
        std::vector<float> more = costs;
        more[spin] = std::nextafter(more[spin], 1e30f);
        CHECK(!settled(more));
      }
      std::vector<float> last = costs;
      last.back() = std::nextafter(last.back(), 1e30f);
      CHECK(!settled(last));
    }
  }
}

TEST_CASE("padding that flipped at beta = 0 does not keep a chain from being settled") {
  const Instance instance({17, 5}, 6);
  const std::vector<float> hot(3, 0.0f);
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    ChainMemory chain = instance.chain(1);
    table->seed_signs(chain.view());
    table->anneal(chain.view(), hot.data(), count(hot), true);
    table->descend(chain.view(), false);
    chain.hidden.set_tolerances(std::vector<float>(17, 0.0f));
    chain.output.set_tolerances(std::vector<float>(5, 0.0f));
    CHECK(table->settled(chain.view()));
  }
}

}  // namespace
}  // namespace isingprop::test
