#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>

#include "samplers/annealing.h"
#include "samplers/descent.h"
#include "support/batch.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

struct Result {
  std::vector<std::int8_t> spins;
  std::vector<double> energies;

  bool operator==(const Result&) const = default;
};

template <class Real>
Result empty_result(const Batch<Real>& batch) {
  return {.spins = std::vector<std::int8_t>(size(batch.num_chains() * batch.num_spins())),
          .energies = std::vector<double>(size(batch.num_chains()))};
}

/// Descends from the start states of a batch.
template <class Real>
Result descended(const Batch<Real>& batch, Interrupt& interrupt) {
  Result result = empty_result(batch);
  descend(batch.problem, batch.reads, result.spins.data(), result.energies.data(), interrupt);
  return result;
}
template <class Real>
Result descended(const Batch<Real>& batch) {
  Interrupt interrupt = never();
  return descended(batch, interrupt);
}

/// Anneals from the start states with one sweep so cold that no flip raises the energy.
template <class Real>
Result annealed_cold(const Batch<Real>& batch) {
  const double cold = 1e12;
  const AnnealingPlan plan{.betas = &cold,
                           .num_sweeps = 1,
                           .relative = true,
                           .descent = Descent::kAlways,
                           .reads = batch.reads};
  Result result = empty_result(batch);
  Interrupt interrupt = never();
  std::vector<double> betas(size(2 * batch.problem.num_problems));
  anneal(batch.problem, plan, {result.spins.data(), result.energies.data(), betas.data()},
         interrupt);
  return result;
}

/// Returns whether every random number of the first sweep of a read lets its spin flip. The others,
/// 1 in 64, hold their spins in place even if these would gain (see kernels/annealing/anneal.cc).
template <class Real>
bool all_may_flip(const Batch<Real>& batch, std::int64_t b, std::int64_t read) {
  ScalarChain twin = batch.twin(batch.grid(), b);
  std::vector<std::uint32_t> words(kGeneratorWords);
  const std::uint64_t stream = batch.streams[size(b)];
  const std::uint64_t key = stream_key(batch.reads.seed, stream, static_cast<std::uint64_t>(read));
  seed_generator(key, words.data());
  twin.set_words(words);
  for (const std::int64_t count : {batch.sizes.num_hidden, batch.sizes.num_output}) {
    for (const std::uint32_t random : twin.draw(size(count))) {
      if (!flips(random, 0.0)) return false;
    }
  }
  return true;
}

TEST_CASE_TEMPLATE("a descent is one cold sweep that holds no spin in place, and a descent", Real,
                   float, double) {
  std::int64_t compared = 0;
  for (const Sizes& sizes : {Sizes{17, 5}, Sizes{3, 40}, Sizes{33, 20}, Sizes{1, 1}}) {
    Batch<Real> batch(sizes);
    batch.start_from_states();
    for (batch.reads.seed = 0; batch.reads.seed < 20; ++batch.reads.seed) {
      const Result found = descended(batch), cold = annealed_cold(batch);
      for (std::int64_t row = 0; row < batch.num_chains(); ++row) {
        const std::int64_t num_reads = batch.reads.num_reads;
        if (!all_may_flip(batch, row / num_reads, row % num_reads)) continue;
        CHECK(row_of(found.spins, row, batch.num_spins()) ==
              row_of(cold.spins, row, batch.num_spins()));
        CHECK(found.energies[size(row)] == cold.energies[size(row)]);
        ++compared;
      }
    }
  }
  CHECK(compared > 500);
}

TEST_CASE("a descent is that of its scalar twin, bit for bit") {
  for (const SparseCouplings& sparse :
       {SparseCouplings("dense", {33, 20}, [](auto, auto) { return true; }), square_lattice(10)}) {
    CAPTURE(sparse.name);
    Batch<float> batch(sparse.sizes, sparse.couplings);
    batch.start_from_states();
    const Result found = descended(batch);
    const CouplingGrid grid = batch.grid();
    for (std::int64_t row = 0; row < batch.num_chains(); ++row) {
      ScalarChain twin = batch.twin(grid, row / batch.reads.num_reads);
      const std::vector<std::int8_t> start = row_of(batch.states, row, batch.num_spins());
      twin.hidden.spins = {start.begin(), start.begin() + batch.sizes.num_hidden};
      twin.output.spins = {start.begin() + batch.sizes.num_hidden, start.end()};
      twin.descend();
      std::vector<std::int8_t> end = twin.hidden.spins;
      append(end, twin.output.spins);
      CHECK(row_of(found.spins, row, batch.num_spins()) == end);
    }
  }
}

TEST_CASE_TEMPLATE(
    "no single flip lowers the energy after a descent, and a second one changes nothing", Real,
    float, double) {
  Batch<Real> batch(Sizes{33, 20});
  batch.start_from_states();
  const Result result = descended(batch);
  CHECK(result.energies == batch.energies_of(result.spins));
  CHECK(batch.least_gain(result.spins) > -1e-5);  // the error of the grid
  batch.states = result.spins;
  CHECK(descended(batch) == result);
}

TEST_CASE_TEMPLATE("the bits are the same on every table and for any number of threads", Real,
                   float, double) {
  Batch<Real> batch(Sizes{120, 40}), first(Sizes{120, 40});
  batch.start_from_states();
  first.start_from_states();
  first.keep(0, 2);
  const Result expected = descended(batch);
  on_every_table([&] {
    for (const int num_threads : {1, 2, 5}) {
      batch.reads.num_threads = num_threads;
      CHECK(descended(batch) == expected);
    }
    const Result part = descended(first);
    CHECK(part.energies == row_of(expected.energies, 0, first.num_chains()));
  });
}

TEST_CASE("one start state can serve all reads and all problems") {
  Batch<float> batch(Sizes{17, 5});
  batch.start_from_states();
  batch.reads.initial_read_stride = batch.reads.initial_problem_stride = 0;
  const Result one = descended(batch);
  for (std::int64_t row = 1; row < batch.num_chains(); ++row) {
    std::copy_n(batch.states.begin(), 22, batch.states.begin() + row * 22);
  }
  batch.start_from_states();
  CHECK(descended(batch) == one);
}

TEST_CASE("a problem without couplings and fields leaves every state as it is") {
  Batch<float> batch(Sizes{17, 5});
  for (auto* part : {&batch.couplings, &batch.hidden_fields, &batch.output_fields}) {
    part->assign(part->size(), 0.0f);
  }
  batch.start_from_states();
  CHECK(descended(batch).spins == batch.states);
}

TEST_CASE("fields that are not finite are refused") {
  Batch<float> batch(Sizes{17, 5});
  batch.start_from_states();
  batch.output_fields[7] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(descended(batch), "fields must be finite and at most 1e300",
                       std::invalid_argument);
}

TEST_CASE("an interrupt ends a descent") {
  Batch<float> batch(Sizes{17, 5});
  batch.start_from_states();
  for (const int num_threads : {1, 3}) {
    batch.reads.num_threads = num_threads;
    Interrupt interrupt = never();
    interrupt.stop();
    CHECK_THROWS_AS(descended(batch, interrupt), Interrupted);
  }
}

}  // namespace
}  // namespace isingprop::test
