#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "chains/chains.h"
#include "support/batch.h"
#include "support/instance.h"
#include "support/sparse_couplings.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

std::vector<float> own_fields(const Layer& layer) {
  return {layer.own_fields, layer.own_fields + layer.num_spins};
}
std::vector<float> coupling_fields(const Layer& layer) {
  return {layer.coupling_fields, layer.coupling_fields + padded(layer.num_spins)};
}

/// A grid and the chains on it.
template <class Real>
struct Setup {
  CouplingGrid grid;
  Chains chains;

  Setup(const Batch<Real>& batch, std::int64_t count,
        BetaUnit unit = {.relative = true, .largest = 10.0})
      : grid(batch.grid()), chains(grid, count, unit) {
    chains.load_fields(batch.problem, 0);
  }
};

std::vector<std::int8_t> spins_of(const Chain& chain) {
  std::vector<std::int8_t> spins(
      static_cast<std::size_t>(chain.hidden.num_spins + chain.output.num_spins));
  write_spins(chain, spins.data());
  return spins;
}

void check_padding(const Layer& layer) {
  for (std::int64_t i = layer.num_spins; i < padded(layer.num_spins); ++i)
    CHECK(layer.own_fields[i] == -1e30f);
}

TEST_CASE_TEMPLATE("load_fields() sets the own fields of all chains, in units of the grid", Real,
                   float, double) {
  for (const Sizes& sizes : {Sizes{17, 5}, Sizes{16, 48}, Sizes{33, 129}}) {
    const Batch<Real> batch(sizes);
    Setup<Real> setup(batch, 2);
    for (std::int64_t b = 0; b < batch.problem.num_problems; ++b) {
      setup.chains.load_fields(batch.problem, b);
      const ScalarChain twin = batch.twin(setup.grid, b);
      for (const std::int64_t k : {0, 1}) {
        CHECK(own_fields(setup.chains[k].hidden) == twin.hidden.own_fields);
        CHECK(own_fields(setup.chains[k].output) == twin.output.own_fields);
        check_padding(setup.chains[k].hidden);
        check_padding(setup.chains[k].output);
      }
    }
  }
}

TEST_CASE("chains that take turns end as chains that are alone") {
  for (const SparseCouplings& sparse :
       {SparseCouplings("dense", {33, 20}, [](auto, auto) { return true; }), square_lattice(10)}) {
    const Batch<float> batch(sparse.sizes, sparse.couplings);
    Setup<float> together(batch, 3), alone(batch, 1);
    const std::vector<float> slopes = rising_slopes(20, 1e-7f, 1.1f);
    std::vector<std::vector<std::int8_t>> ends;
    for (std::uint64_t k = 0; k < 3; ++k) {
      const Chain& chain = alone.chains[0];
      seed_generator(k, chain.generator);
      start(nullptr, chain);
      kernels().anneal(chain, slopes.data(), count(slopes), true);
      ends.push_back(spins_of(chain));
      seed_generator(k, together.chains[static_cast<std::int64_t>(k)].generator);
    }
    for (const std::int64_t k : {2, 0, 1}) start(nullptr, together.chains[k]);
    for (std::size_t sweep = 0; sweep < slopes.size(); ++sweep) {
      for (const std::int64_t k : {1, 0, 2})
        kernels().anneal(together.chains[k], &slopes[sweep], 1, sweep == 0);
    }
    for (const std::int64_t k : {0, 1, 2})
      CHECK(spins_of(together.chains[k]) == ends[static_cast<std::size_t>(k)]);
    CHECK(ends[0] != ends[1]);
  }
}

TEST_CASE("spins are written to and read from one chain only") {
  const Batch<float> batch({17, 33});
  const Setup<float> setup(batch, 3);
  for (const std::int64_t k : {0, 1, 2}) start(batch.states.data() + k * 50, setup.chains[k]);
  for (const std::int64_t k : {0, 1, 2})
    CHECK(spins_of(setup.chains[k]) == row_of(batch.states, k, 50));
}

TEST_CASE("a pull adds a field along each spin of a chain, exactly, and none if the bias is 0") {
  for (const Sizes& sizes : {Sizes{17, 5}, Sizes{16, 48}}) {
    const Batch<float> batch(sizes);
    Setup<float> setup(batch, 2);
    ScalarChain twin = batch.twin(setup.grid, 0);
    const ScalarChain before = twin;
    const Chain& reference = setup.chains[1];
    start(batch.states.data(), reference);
    for (const float bias :
         {3.7f, 1e7f, 0.1f}) {  // each from the problem's fields, not from the last one's
      setup.chains.pull(reference, std::ldexp(double{bias}, setup.grid.exponent()));
      const std::int8_t* state = batch.states.data();
      for (ScalarLayer* layer : {&twin.hidden, &twin.output}) {
        const std::vector<float>& fields =
            (layer == &twin.hidden ? before.hidden : before.output).own_fields;
        for (std::size_t i = 0; i < fields.size(); ++i) {
          layer->own_fields[i] = fields[i] - static_cast<float>(*state++) * bias;
        }
      }
      CHECK(own_fields(setup.chains[0].hidden) == twin.hidden.own_fields);
      CHECK(own_fields(setup.chains[0].output) == twin.output.own_fields);
      check_padding(setup.chains[0].hidden);
      check_padding(setup.chains[0].output);
    }
    setup.chains.pull(reference, 0.0);
    CHECK(own_fields(setup.chains[0].hidden) == before.hidden.own_fields);
    CHECK(own_fields(setup.chains[0].output) == before.output.own_fields);
  }
}

TEST_CASE("a copy has the spins and the coupling fields, and goes its own way") {
  const Batch<float> batch({33, 20});
  Setup<float> setup(batch, 3);
  Chains& chains = setup.chains;
  const float hot = 0.0f;
  for (const std::int64_t k : {0, 1, 2}) {
    seed_generator(static_cast<std::uint64_t>(k), chains[k].generator);
    start(nullptr, chains[k]);
    kernels().anneal(chains[k], &hot, 1, true);
  }
  const std::vector<std::int8_t> from = spins_of(chains[2]), other = spins_of(chains[0]);
  chains.copy(2, 1);
  CHECK(spins_of(chains[1]) == from);
  CHECK(coupling_fields(chains[1].hidden) == coupling_fields(chains[2].hidden));
  CHECK(coupling_fields(chains[1].output) == coupling_fields(chains[2].output));
  kernels().descend(chains[1], false);
  CHECK(spins_of(chains[1]) != from);
  CHECK(spins_of(chains[2]) == from);
  CHECK(spins_of(chains[0]) == other);
  ScalarChain twin = batch.twin(setup.grid, 0);
  twin.hidden.spins = row_of(from, 0, 33);
  twin.output.spins = {from.begin() + 33, from.end()};
  twin.descend();
  CHECK(row_of(spins_of(chains[1]), 0, 33) == twin.hidden.spins);
}

TEST_CASE("slopes are relative to the rms local field of a random state, or in 1 / (unit of J)") {
  constexpr double kTwoOverLn2 = 2.8853900817779268;
  for (const int power : {0, 7, -900}) {
    Batch<double> batch({3, 2}, known_couplings());
    batch.take_known_fields();
    batch.scale(power);
    const double rms = std::ldexp(2.0, power), largest = 3.0 / rms;
    Setup<double> relative(batch, 1), absolute(batch, 1, {.relative = false, .largest = largest});
    const double quantum = std::ldexp(1.0, relative.grid.exponent());
    CHECK(relative.chains.slope(3.0) == static_cast<float>(kTwoOverLn2 * 3.0 / (rms / quantum)));
    CHECK(absolute.chains.slope(largest) == relative.chains.slope(3.0));
    for (Setup<double>* setup : {&relative, &absolute}) {
      CHECK(setup->chains.absolute(3.0) == largest);
      CHECK(setup->chains.slope(0.0) == 0.0f);
      CHECK(setup->chains[0].hidden.gains == nullptr);
    }
    CHECK(relative.chains.in_users_unit(3.0) == largest);
    CHECK(absolute.chains.in_users_unit(3.0) == 3.0);
    CHECK(relative.chains.slope(1e38) ==
          kLargestSlope);  // beyond, products with it would not be floats
  }
}

TEST_CASE("the scale of beta is that of the loaded problem, or 1 if it has no fields") {
  Batch<double> batch({3, 2}, known_couplings());
  batch.take_known_fields();
  const std::size_t second = 3;
  batch.hidden_fields[second] = 1.0;  // instead of 2
  Setup<double> setup(batch, 1);
  setup.chains.load_fields(batch.problem, 1);
  const double rms = std::sqrt((1.0 + 4.0 + 2.0 * 6.0) / 5.0);
  CHECK(setup.chains.absolute(1.0) == doctest::Approx(1.0 / rms).epsilon(1e-15));

  Batch<double> nothing({3, 2}, std::vector<double>(6, 0.0));
  nothing.hidden_fields.assign(18, 0.0);
  nothing.output_fields.assign(12, 0.0);
  const Setup<double> empty(nothing, 1);
  CHECK(empty.chains.slope(1.0) == 2.8853900817779268f);
}

TEST_CASE_TEMPLATE("the largest field is that of all problems, and must be finite", Real, float,
                   double) {
  Batch<Real> batch({3, 2});
  batch.hidden_fields[3 * 6 - 1] = Real(-7);
  CHECK(batch.problem.largest_field() == 7.0);
  batch.output_fields[2 * 6 - 1] = Real(9);
  CHECK(batch.problem.largest_field() == 9.0);
  batch.problem.one_output_row = true;  // the other rows are not read
  CHECK(batch.problem.largest_field() == 7.0);

  using Limits = std::numeric_limits<Real>;
  const Real too_large = sizeof(Real) == sizeof(double) ? Real(2e300) : Limits::infinity();
  for (const Real bad : {Limits::quiet_NaN(), Limits::infinity(), too_large}) {
    batch.hidden_fields[0] = bad;
    CHECK_THROWS_WITH_AS(batch.problem.largest_field(), "fields must be finite and at most 1e300",
                         std::invalid_argument);
  }
}

TEST_CASE("a timer checks at once, and then whenever the given number of sweeps has passed") {
  const Batch<float> batch({17, 5});
  const Setup<float> setup(batch, 1);
  Interrupt interrupt([] { return false; });
  InterruptTimer timer(setup.chains[0], interrupt, false);
  const std::int64_t sweeps = timer.sweeps_between_checks();
  CHECK(sweeps > 1);
  interrupt.stop();
  CHECK_THROWS_AS(timer.count(1), Interrupted);  // the first one
  timer.count(sweeps - 1);
  CHECK_THROWS_AS(timer.count(1), Interrupted);
  CHECK_THROWS_AS(timer.count(2 * sweeps), Interrupted);
  CHECK_THROWS_AS(timer.count(sweeps), Interrupted);
}

}  // namespace
}  // namespace isingprop::test
