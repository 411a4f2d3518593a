/// A random problem, chains on it that tables of kernels can work on, and their scalar twin.
#pragma once

#include <doctest/doctest.h>

#include <vector>

#include "scalar_chain.h"
#include "support.h"

namespace isingprop::test {

/// What samplers/annealing.cc lets a slope be at most.
inline constexpr float kLargestSlope = 0x1p100f;

/// Random couplings, and fields in units of their grid.
struct Instance {
  Sizes sizes;
  std::vector<float> couplings, hidden_fields, output_fields;
  CouplingGrid grid;

  /// Coupling fields are at most 1, and as much smaller as largest_field is larger than the sums of couplings.
  Instance(Sizes s, std::uint64_t seed, double largest_field = 0.0) : Instance(s, Random(seed), largest_field) {}

  ChainMemory chain(std::uint64_t seed) const { return {grid, hidden_fields, output_fields, seed}; }
  ScalarChain twin(std::uint64_t seed) const {
    std::vector<float> rounded;
    for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
      const float* row = grid.hidden_rows() + i * padded(sizes.num_output);
      for (std::int64_t a = 0; a < sizes.num_output; ++a) rounded.push_back(row[a] / 2.0f);
    }
    return {rounded, hidden_fields, output_fields, seed};
  }
  void remove_couplings() {
    couplings.assign(couplings.size(), 0.0f);
    grid = CouplingGrid(couplings.data(), sizes.num_hidden, sizes.num_output);
  }

 private:
  Instance(Sizes s, Random random, double largest_field)
      : sizes(s),
        couplings(random.reals<float>(s.num_hidden * s.num_output, -1.0, 1.0)),
        hidden_fields(random.reals<float>(s.num_hidden, -0.3, 0.3)),
        output_fields(random.reals<float>(s.num_output, -0.3, 0.3)),
        grid(couplings.data(), s.num_hidden, s.num_output, largest_field) {}
};

/// The same spins, and as many random numbers drawn.
inline void check_same_spins(const ChainMemory& chain, const ScalarChain& twin) {
  CHECK(chain.hidden.spins() == twin.hidden.spins);
  CHECK(chain.output.spins() == twin.output.spins);
  CHECK(chain.words() == twin.words());
}

inline void check_fields(const LayerMemory& layer, std::vector<float> twin_fields) {
  twin_fields.resize(layer.size(), 0.0f);  // nothing ever acts on the padding
  CHECK(layer.fields() == twin_fields);
}

/// ... and the fields that the spins have from scratch, exactly.
inline void check_same(const ChainMemory& chain, const ScalarChain& twin) {
  check_same_spins(chain, twin);
  check_fields(chain.hidden, twin.coupling_fields(twin.hidden));
  check_fields(chain.output, twin.coupling_fields(twin.output));
}

}  // namespace isingprop::test
