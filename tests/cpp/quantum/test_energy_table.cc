#include <doctest/doctest.h>

#include <utility>

#include "quantum/energy_table.h"
#include "support/common.h"

namespace isingprop::test {
namespace {

struct Couplings {
  Sizes sizes;
  std::vector<double> couplings, hidden, output;

  Couplings(Sizes s, const std::vector<double>& values) : sizes(s) {
    auto at = values.begin();
    for (auto& [part, count] :
         {std::pair{&couplings, s.num_hidden * s.num_output}, std::pair{&hidden, s.num_hidden},
          std::pair{&output, s.num_output}}) {
      part->assign(at, at + count);
      at += count;
    }
  }

  EnergyTableTask task() const {
    return {.couplings = couplings.data(),
            .hidden_fields = hidden.data(),
            .output_fields = output.data(),
            .num_hidden = sizes.num_hidden,
            .num_output = sizes.num_output};
  }

  double energy(std::int64_t state) const {
    const auto spin = [&](std::int64_t k) { return (state >> k & 1) != 0 ? 1.0 : -1.0; };
    double sum = 0.0;
    for (std::int64_t a = 0; a < sizes.num_output; ++a)
      sum += output[size(a)] * spin(sizes.num_hidden + a);
    for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
      sum += hidden[size(i)] * spin(i);
      for (std::int64_t a = 0; a < sizes.num_output; ++a) {
        sum += couplings[size(i * sizes.num_output + a)] * spin(i) * spin(sizes.num_hidden + a);
      }
    }
    return sum;
  }

  std::vector<double> table(int num_threads) const {
    std::vector<double> energies(std::size_t{1} << (sizes.num_hidden + sizes.num_output));
    Interrupt interrupt = never();
    fill_energy_table(task(), num_threads, energies.data(), interrupt);
    return energies;
  }
};

TEST_CASE("the table of energies is exact, on every target and for any number of threads") {
  for (const Sizes& sizes :
       {Sizes{1, 1}, Sizes{1, 7}, Sizes{2, 1}, Sizes{3, 9}, Sizes{5, 5}, Sizes{12, 2}}) {
    std::vector<double> values;
    Random random(2);
    for (int k = 0; k < 100; ++k)
      values.push_back(static_cast<double>(random.below(2001) - 1000) / 8);  // sums exact
    const Couplings problem(sizes, values);
    for (const int num_threads : {1, 2, 3}) {
      on_every_table([&] {
        const std::vector<double> energies = problem.table(num_threads);
        bool right = true;
        for (std::size_t k = 0; k < energies.size(); ++k) {
          right = right && energies[k] == problem.energy(static_cast<std::int64_t>(k));
        }
        CHECK(right);
      });
    }
  }
}

TEST_CASE("an interrupt ends the table of energies") {
  const Couplings problem({1, 1}, {1.0, 2.0, 3.0});
  std::vector<double> energies(4);
  for (const int num_threads : {1, 3}) {
    Interrupt interrupt = never();
    interrupt.stop();
    CHECK_THROWS_AS(fill_energy_table(problem.task(), num_threads, energies.data(), interrupt),
                    Interrupted);
  }
}

}  // namespace
}  // namespace isingprop::test
