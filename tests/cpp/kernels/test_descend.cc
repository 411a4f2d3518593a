#include <doctest/doctest.h>

#include <string>

#include "support/instance.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

TEST_CASE("the descent ends where no single flip gains energy") {
  const float hot = 0.0f;
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const Instance instance({60, 30}, seed);
      const ChainMemory chain = instance.chain(seed);
      table->seed_signs(chain.view());
      table->anneal(chain.view(), &hot, 1, true);
      table->descend(chain.view(), false);
      ScalarChain end = instance.twin(seed);
      end.hidden.spins = chain.hidden.spins();
      end.output.spins = chain.output.spins();
      for (const ScalarLayer* layer : {&end.hidden, &end.output}) {
        for (const float gain : end.gains_of(*layer)) CHECK(gain <= 0.0f);
      }
    }
  }
}

/// Descends from random spins alone on every table, with the rest of the memory invalid, and
/// compares spins and coupling fields with the scalar twin.
void check_descent_from_spins(const Instance& instance) {
  CAPTURE(instance.sizes.num_hidden);
  CAPTURE(instance.sizes.num_output);
  ScalarChain twin = instance.twin(1);
  twin.hidden.spins = Random(1).spins(instance.sizes.num_hidden);
  twin.output.spins = Random(2).spins(instance.sizes.num_output);
  const ScalarChain before = twin;
  twin.descend();
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    ChainMemory chain = instance.chain(1);
    chain.hidden.set_spins(before.hidden.spins);
    chain.output.set_spins(before.output.spins);
    table->descend(chain.view(), true);
    check_same(chain, twin);
    table->descend(chain.view(), true);  // a state at rest stays as it is
    check_same(chain, twin);
  }
}

TEST_CASE("a descent from spins alone is that of its scalar twin, and uses no random numbers") {
  for (const Sizes& sizes : kSizes) check_descent_from_spins(Instance(sizes, 14));
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    check_descent_from_spins(Instance(sparse.sizes, sparse.couplings, 15));
  }
}

TEST_CASE("a spin whose field is exactly zero keeps its sign") {
  Instance instance({20, 9}, 4);
  instance.remove_couplings();
  instance.hidden_fields.assign(20, 0.0f);
  instance.hidden_fields[3] = -0.0f;
  check_descent_from_spins(instance);
}

}  // namespace
}  // namespace isingprop::test
