#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "support/common.h"
#include "support/instance.h"
#include "support/sparse_couplings.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

/// Counts of outputs just below, at and above whole vectors of 2, 4 and 8 doubles and whole tiles.
constexpr Sizes kEnergySizes[] = {{1, 1},   {2, 2},    {7, 3},   {5, 4},    {20, 5},  {9, 6},
                                  {8, 7},   {3, 8},    {16, 9},  {9, 13},   {17, 16}, {33, 41},
                                  {12, 47}, {120, 48}, {30, 49}, {200, 300}};

/// Random states of one random problem.
template <class Real>
struct States {
  Sizes sizes;
  std::int64_t num_states;
  std::vector<Real> couplings, hidden_fields, output_fields;
  std::vector<std::int8_t> spins;

  States(Sizes s, std::int64_t count, double scale, Random random = Random(1))
      : sizes(s),
        num_states(count),
        couplings(random.reals<Real>(s.num_hidden * s.num_output, -scale, scale)),
        hidden_fields(random.reals<Real>(s.num_hidden, -scale, scale)),
        output_fields(random.reals<Real>(s.num_output, -scale, scale)),
        spins(random.spins(count * num_spins())) {}

  std::int64_t num_spins() const { return sizes.num_hidden + sizes.num_output; }

  /// Returns the energies of states [first, first + count), computed as one job.
  std::vector<double> energies(const KernelTable& table, std::int64_t first,
                               std::int64_t count) const {
    std::vector<double> result(static_cast<std::size_t>(count));
    table.of<Real>().energies({.couplings = couplings.data(),
                               .hidden_fields = hidden_fields.data(),
                               .output_fields = output_fields.data(),
                               .num_hidden = sizes.num_hidden,
                               .num_output = sizes.num_output,
                               .spins = spins.data() + first * num_spins(),
                               .num_states = count,
                               .energies = result.data(),
                               .spans = nullptr});
    return result;
  }
  std::vector<double> energies(const KernelTable& table) const {
    return energies(table, 0, num_states);
  }

  struct Exact {
    long double energy, sum_of_sizes;
  };
  Exact exact(std::int64_t state) const {
    const std::int8_t* s = spins.data() + state * num_spins();
    const std::int8_t* t = s + sizes.num_hidden;
    Exact sum{0.0L, 0.0L};
    const auto add = [&](Real x, int spin) {
      sum.energy += static_cast<long double>(x) * spin;
      sum.sum_of_sizes += std::abs(static_cast<long double>(x));
    };
    for (std::size_t i = 0; i < hidden_fields.size(); ++i) add(hidden_fields[i], s[i]);
    for (std::size_t a = 0; a < output_fields.size(); ++a) add(output_fields[a], t[a]);
    for (std::size_t k = 0; k < couplings.size(); ++k) {
      add(couplings[k], s[k / output_fields.size()] * t[k % output_fields.size()]);
    }
    return sum;
  }
};

template <class Real>
void check_energies(const States<Real>& states) {
  CAPTURE(states.sizes.num_hidden);
  CAPTURE(states.sizes.num_output);
  const std::vector<double> baseline = states.energies(*available_kernels().front());
  for (std::int64_t k = 0; k < states.num_states; ++k) {
    const auto [energy, sum_of_sizes] = states.exact(k);
    const auto terms = static_cast<long double>(states.num_spins() + 4);
    const long double bound =
        terms * 0x1p-53L * sum_of_sizes;  // of sums that add a column or row at a time
    CHECK(std::abs(baseline[static_cast<std::size_t>(k)] - energy) <= bound);
  }
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    CHECK(same_bits(states.energies(*table), baseline));
  }
}

TEST_CASE_TEMPLATE("energies are right to rounding, and the same bits on every table", Real, float,
                   double) {
  for (const double scale : {1e-20, 1.0, 1e20}) {
    for (const Sizes& sizes : kSizes) check_energies(States<Real>(sizes, 5, scale));
    for (const Sizes& sizes : kEnergySizes) check_energies(States<Real>(sizes, 7, scale));
  }
}

TEST_CASE_TEMPLATE("the energy of a state does not depend on the states beside it", Real, float,
                   double) {
  constexpr std::int64_t kMost = 9;
  for (const Sizes& sizes : {Sizes{7, 3}, Sizes{20, 13}, Sizes{33, 41}, Sizes{120, 40}}) {
    const States<Real> states(sizes, kMost, 1.0);
    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      const std::vector<double> all = states.energies(*table);
      for (std::int64_t first = 0; first < kMost; ++first) {
        for (std::int64_t count = 0; first + count <= kMost; ++count) {
          const std::vector<double> expected(all.begin() + first, all.begin() + first + count);
          CHECK(same_bits(states.energies(*table, first, count), expected));
        }
      }
    }
  }
}

TEST_CASE("energies in whole numbers are exact: the worked example of dimod's sign") {
  States<double> states({2, 1}, 5, 1.0);
  states.couplings = {4.0, -8.0};
  states.hidden_fields = {1.0, 2.0};
  states.output_fields = {-16.0};
  states.spins = {1, 1, 1, 1, -1, 1, -1, 1, -1, -1, -1, -1, -1, 1, 1};
  const std::vector<double> expected{-17.0, -5.0, 29.0, 9.0, -27.0};
  for (const KernelTable* table : available_kernels()) CHECK(states.energies(*table) == expected);
}

/// Checks on each table the energy of a chain with random spins and fields.
void check_chain_energy(const Instance& instance) {
  CAPTURE(instance.sizes.num_hidden);
  CAPTURE(instance.sizes.num_output);
  const float slope = 1.0f;
  ScalarChain twin = instance.twin(3);
  twin.seed_signs();
  twin.sweep(slope);
  const std::vector<float> couplings = grid_couplings(instance.grid, instance.sizes);
  double sum_of_sizes = 0.0;
  for (const auto* numbers : {&instance.hidden_fields, &instance.output_fields, &couplings}) {
    for (const float number : *numbers) sum_of_sizes += std::abs(double{number});
  }
  std::vector<double> found;
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    const ChainMemory chain = instance.chain(3);
    table->seed_signs(chain.view());
    table->anneal(chain.view(), &slope, 1, true);
    found.push_back(table->chain_energy(chain.view()));
    CHECK(std::abs(found.back() - twin.energy()) <=
          1e-13 * sum_of_sizes);  // some hundred roundings of 1e-16
    CHECK(same_bits(std::vector{found.back()}, std::vector{found.front()}));
    check_same(chain, twin);  // the kernel changes nothing
  }
}

TEST_CASE("the energy of a chain is that of its spins, and the same bits on every table") {
  for (const Sizes& sizes : kSizes) check_chain_energy(Instance(sizes, 11));
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    check_chain_energy(Instance(sparse.sizes, sparse.couplings, 12));
  }
}

TEST_CASE("the energy of a chain is right if own fields are 2^50 times larger than couplings") {
  for (const Sizes& sizes : {Sizes{33, 129}, Sizes{130, 7}}) {
    Instance instance(sizes, 13);
    for (std::size_t i = 0; i < instance.hidden_fields.size(); i += 3)
      instance.hidden_fields[i] *= 0x1p50f;
    instance.output_fields.back() = -0x1p50f;
    check_chain_energy(instance);
  }
}

}  // namespace
}  // namespace isingprop::test
