/// A random problem, chains on it that tables of kernels can work on, and their scalar twin.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/chain_memory.h"
#include "support/common.h"
#include "support/scalar_chain.h"

namespace isingprop::test {

/// Random couplings, and fields in units of their grid.
struct Instance {
  Sizes sizes;
  std::vector<float> couplings, hidden_fields, output_fields;
  CouplingGrid grid;

  /// Coupling fields are at most 1, or smaller in proportion if largest_field is larger than the
  /// sums of couplings.
  Instance(Sizes s, std::uint64_t seed, double largest_field = 0.0)
      : Instance(s, Random(seed), largest_field) {}
  Instance(Sizes s, std::vector<float> given_couplings, std::uint64_t seed)
      : Instance(s, std::move(given_couplings), Random(seed), 0.0) {}

  ChainMemory chain(std::uint64_t seed) const { return {grid, hidden_fields, output_fields, seed}; }
  ScalarChain twin(std::uint64_t seed) const {
    return twin_on(grid, sizes, hidden_fields, output_fields, seed);
  }
  void remove_couplings() {
    couplings.assign(couplings.size(), 0.0f);
    grid = make_grid(couplings, sizes);
  }

 private:
  Instance(Sizes s, Random random, double largest_field)
      : Instance(s, random.reals<float>(s.num_hidden * s.num_output, -1.0, 1.0), std::move(random),
                 largest_field) {}
  // `random` is a reference, because a copy could be made before the couplings are drawn from it.
  Instance(Sizes s, std::vector<float> given_couplings, Random&& random, double largest_field)
      : sizes(s),
        couplings(std::move(given_couplings)),
        hidden_fields(random.reals<float>(s.num_hidden, -0.3, 0.3)),
        output_fields(random.reals<float>(s.num_output, -0.3, 0.3)),
        grid(make_grid(couplings, s, largest_field)) {}
};

/// Checks that both have the same spins and have drawn as many random numbers.
inline void check_same_spins(const ChainMemory& chain, const ScalarChain& twin) {
  CHECK(chain.hidden.spins() == twin.hidden.spins);
  CHECK(chain.output.spins() == twin.output.spins);
  CHECK(chain.words() == twin.words());
}

inline void check_fields(const LayerMemory& layer, std::vector<float> twin_fields) {
  twin_fields.resize(layer.padded_size(), 0.0f);  // the fields of the padding stay 0
  CHECK(layer.fields() == twin_fields);
}

/// Checks in addition that the coupling fields are exactly those of the spins.
inline void check_same(const ChainMemory& chain, const ScalarChain& twin) {
  check_same_spins(chain, twin);
  check_fields(chain.hidden, twin.coupling_fields(twin.hidden));
  check_fields(chain.output, twin.coupling_fields(twin.output));
}

inline std::int64_t count(const std::vector<float>& slopes) {
  return static_cast<std::int64_t>(slopes.size());
}

inline std::vector<float> rising_slopes(int num_sweeps, float first, float factor) {
  std::vector<float> slopes;
  for (float slope = first; num_sweeps > 0; --num_sweeps, slope *= factor) slopes.push_back(slope);
  return slopes;
}

/// Runs a chain on each table and its twin with the same slopes, then descends, and compares both
/// after each step.
inline void check_annealing(const Instance& instance, const std::vector<float>& slopes) {
  CAPTURE(instance.sizes.num_hidden);
  CAPTURE(instance.sizes.num_output);
  ScalarChain seeded = instance.twin(7);
  seeded.seed_signs();
  ScalarChain annealed = seeded;
  for (const float slope : slopes) annealed.sweep(slope);
  ScalarChain descended = annealed;
  descended.descend();
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    const ChainMemory chain = instance.chain(7);
    table->seed_signs(chain.view());
    check_same_spins(chain, seeded);
    table->anneal(chain.view(), slopes.data(), count(slopes), true);
    check_same(chain, annealed);
    table->descend(chain.view(), false);
    check_same(chain, descended);
  }
}

}  // namespace isingprop::test
