#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/dispatch.h"
#include "scalar_chain.h"
#include "support.h"

namespace isingprop::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Random couplings, fields in units of their grid, and a scalar twin of a chain on it.
struct Instance {
  Sizes sizes;
  std::vector<float> couplings, hidden_fields, output_fields;
  CouplingGrid grid;

  Instance(Sizes s, std::uint64_t seed) : Instance(s, Random(seed)) {}

  ChainMemory chain(std::uint64_t seed) const { return {grid, hidden_fields, output_fields, seed}; }
  ScalarChain twin(std::uint64_t seed) const {
    std::vector<float> rounded;
    for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
      const float* row = grid.hidden_rows() + i * padded(sizes.num_output);
      for (std::int64_t a = 0; a < sizes.num_output; ++a) rounded.push_back(row[a] / 2.0f);
    }
    return {rounded, hidden_fields, output_fields, seed};
  }

 private:
  Instance(Sizes s, Random random)
      : sizes(s),
        couplings(random.reals<float>(s.num_hidden * s.num_output, -1.0, 1.0)),
        hidden_fields(random.reals<float>(s.num_hidden, -0.3, 0.3)),
        output_fields(random.reals<float>(s.num_output, -0.3, 0.3)),
        grid(couplings.data(), s.num_hidden, s.num_output) {}
};

void check_layer(const LayerMemory& layer, const ScalarLayer& twin, std::vector<float> twin_fields) {
  twin_fields.resize(layer.size(), 0.0f);  // nothing ever acts on the padding
  CHECK(layer.spins() == twin.spins);
  CHECK(layer.fields() == twin_fields);
}

void check_same(const ChainMemory& chain, const ScalarChain& twin) {
  check_layer(chain.hidden, twin.hidden, twin.coupling_fields(twin.hidden));
  check_layer(chain.output, twin.output, twin.coupling_fields(twin.output));
  CHECK(chain.words() == twin.words());
}

/// Runs a chain on each table and beside it the twin, with the same slopes, and compares all there is.
void check_annealing(const Instance& instance, const std::vector<float>& slopes) {
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    CAPTURE(instance.sizes.num_hidden);
    CAPTURE(instance.sizes.num_output);
    const ChainMemory chain = instance.chain(7);
    ScalarChain twin = instance.twin(7);
    table->seed_signs(chain.view());
    table->compute_fields(chain.view());
    twin.seed_signs();
    check_same(chain, twin);
    table->anneal(chain.view(), slopes.data(), static_cast<std::int64_t>(slopes.size()));
    for (const float slope : slopes) twin.sweep(slope);
    check_same(chain, twin);
    table->descend(chain.view());
    twin.descend();
    check_same(chain, twin);
  }
}

std::vector<float> rising_slopes(int num_sweeps, float first, float factor) {
  std::vector<float> slopes;
  for (float slope = first; num_sweeps > 0; --num_sweeps, slope *= factor) slopes.push_back(slope);
  return slopes;
}

TEST_CASE("a chain on every table is the scalar chain, bit for bit") {
  for (const Sizes& sizes : kSizes) check_annealing(Instance(sizes, 1), rising_slopes(40, 0.5f, 1.2f));
}

TEST_CASE("... and at the ends of the range of slopes") {
  const Instance instance({33, 20}, 3);
  check_annealing(instance, std::vector<float>(20, 0.0f));
  check_annealing(instance, {0.0f, 1e38f, 0.0f, kInfinity, kInfinity, 0.0f, 1.0f});
}

TEST_CASE("... and without couplings, some or all spins without a field: 0 times an infinite slope is NaN") {
  Instance instance({20, 9}, 4);
  instance.couplings.assign(180, 0.0f);
  instance.grid = CouplingGrid(instance.couplings.data(), 20, 9);
  for (const bool fields : {true, false}) {
    if (!fields) instance.hidden_fields.assign(20, 0.0f);
    check_annealing(instance, rising_slopes(20, 0.1f, 1.5f));
    check_annealing(instance, std::vector<float>(5, kInfinity));
  }
}

TEST_CASE("one call of many sweeps is many calls of one") {
  const Instance instance({120, 40}, 5);
  const std::vector<float> slopes = rising_slopes(30, 0.1f, 1.2f);
  for (const KernelTable* table : available_kernels()) {
    const ChainMemory once = instance.chain(1), often = instance.chain(1);
    for (const ChainMemory* chain : {&once, &often}) {
      table->seed_signs(chain->view());
      table->compute_fields(chain->view());
    }
    table->anneal(once.view(), slopes.data(), 30);
    for (const float& slope : slopes) table->anneal(often.view(), &slope, 1);
    CHECK(once.hidden.spins() == often.hidden.spins());
    CHECK(once.output.spins() == often.output.spins());
    CHECK(once.words() == often.words());
  }
}

TEST_CASE("the descent ends where no single flip gains energy") {
  for (const KernelTable* table : available_kernels()) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const Instance instance({60, 30}, seed);
      const ChainMemory chain = instance.chain(seed);
      table->seed_signs(chain.view());
      table->compute_fields(chain.view());
      table->descend(chain.view());
      ScalarChain end = instance.twin(seed);
      end.hidden.spins = chain.hidden.spins();
      end.output.spins = chain.output.spins();
      for (const ScalarLayer* layer : {&end.hidden, &end.output}) {
        for (const float gain : end.gains_of(*layer)) CHECK(gain <= 0.0f);
      }
    }
  }
}

TEST_CASE("the logarithm of the acceptance test is right within its stated error") {
  constexpr double kStatedError = 1.7e-5, kFloatError = 1e-5;  // half a unit in the last place of 158
  Random random(6);
  double largest = 0.0;
  for (int k = 0; k < 200'000; ++k) {
    const auto r = static_cast<std::uint32_t>(random.word() >> (32 + random.below(31))) | 2u;
    const double u = static_cast<double>(r >> 1) / 0x1p31;
    largest = std::max(largest, std::abs(double{log2_uniform(r)} - std::log2(u / kMove)));
  }
  CHECK(largest < kStatedError + kFloatError);
}

}  // namespace
}  // namespace isingprop::test
