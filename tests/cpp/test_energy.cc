#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/dispatch.h"
#include "support.h"

namespace isingprop::test {
namespace {

/// A few states of one random problem, with the sum of the sizes of all terms: the scale of rounding errors.
template <class Real>
struct States {
  static constexpr std::int64_t kNumStates = 5;
  Sizes sizes;
  std::vector<Real> couplings, hidden_fields, output_fields;
  std::vector<std::int8_t> spins;

  States(Sizes s, double scale, Random random = Random(1))
      : sizes(s),
        couplings(random.reals<Real>(s.num_hidden * s.num_output, -scale, scale)),
        hidden_fields(random.reals<Real>(s.num_hidden, -scale, scale)),
        output_fields(random.reals<Real>(s.num_output, -scale, scale)),
        spins(random.spins(kNumStates * (s.num_hidden + s.num_output))) {}

  std::vector<double> energies(const KernelTable& table) const {
    const auto padded_couplings = pad_couplings(couplings.data(), sizes.num_hidden, sizes.num_output);
    std::vector<double> result(kNumStates);
    const EnergyJob<Real> job{padded_couplings.get(), hidden_fields.data(), output_fields.data(), sizes.num_hidden,
                              sizes.num_output,       spins.data(),         kNumStates,           result.data()};
    if constexpr (sizeof(Real) == sizeof(float)) {
      table.energies_f32(job);
    } else {
      table.energies_f64(job);
    }
    return result;
  }

  struct Exact {
    long double energy, sum_of_sizes;
  };
  Exact exact(std::int64_t state) const {
    const std::int8_t* s = spins.data() + state * (sizes.num_hidden + sizes.num_output);
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

TEST_CASE_TEMPLATE("energies are right to rounding, and the same bits on every table", Real, float, double) {
  for (const Sizes& sizes : kSizes) {
    for (const double scale : {1e-20, 1.0, 1e20}) {
      const States<Real> states(sizes, scale);
      const std::vector<double> baseline = states.energies(*available_kernels().front());
      for (std::int64_t k = 0; k < States<Real>::kNumStates; ++k) {
        const auto [energy, sum_of_sizes] = states.exact(k);
        const auto terms = static_cast<long double>(sizes.num_hidden + sizes.num_output + 4);
        const long double bound = terms * 0x1p-53L * sum_of_sizes;  // of sums that add a column or row at a time
        CHECK(std::abs(baseline[static_cast<std::size_t>(k)] - energy) <= bound);
      }
      for (const KernelTable* table : available_kernels()) {
        CAPTURE(std::string(table->name));
        CHECK(same_bits(states.energies(*table), baseline));
      }
    }
  }
}

TEST_CASE("energies in whole numbers are exact: the worked example of dimod's sign") {
  States<double> states({2, 1}, 1.0);
  states.couplings = {4.0, -8.0};
  states.hidden_fields = {1.0, 2.0};
  states.output_fields = {-16.0};
  states.spins = {1, 1, 1, 1, -1, 1, -1, 1, -1, -1, -1, -1, -1, 1, 1};
  const std::vector<double> expected{-17.0, -5.0, 29.0, 9.0, -27.0};
  for (const KernelTable* table : available_kernels()) CHECK(states.energies(*table) == expected);
}

}  // namespace
}  // namespace isingprop::test
