#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "support/sparse_couplings.h"
#include "support/tempering_task.h"

namespace isingprop::test {
namespace {

TemperingOutcome joined(TemperingOutcome a, const TemperingOutcome& b) {
  append(a.spins, b.spins);
  append(a.energies, b.energies);
  append(a.betas, b.betas);
  append(a.acceptance, b.acceptance);
  append(a.round_trips, b.round_trips);
  return a;
}

TEST_CASE_TEMPLATE("the same bits on every table, for any number of threads and any batches", Real,
                   float, double) {
  for (const bool adaptive : {false, true}) {
    const Sizes sizes{33, 20};
    TemperingTask<Real> task(sizes), first(sizes), rest(sizes);
    for (TemperingTask<Real>* each : {&task, &first, &rest}) each->plan.adaptive = adaptive;
    first.keep(0, 2);
    rest.keep(2, 6);
    const TemperingOutcome expected = task.run();
    on_every_table([&] {
      for (const int num_threads : {1, 2, 5}) {
        task.reads.num_threads = num_threads;
        CHECK(task.run() == expected);
      }
      CHECK(joined(first.run(), rest.run()) == expected);
    });
  }
}

TEST_CASE("more reads, and one row of output fields, leave the reads there were as they are") {
  TemperingTask<float> task(Sizes{33, 20}), more(Sizes{33, 20});
  task.repeat_output_fields();
  more.read_more_with_one_output_row(9);
  const TemperingOutcome few = task.run(), many = more.run();
  for (std::int64_t row = 0; row < task.num_chains(); ++row) {
    const std::int64_t same = row / 5 * 9 + row % 5;
    CHECK(row_of(few.spins, row, 53) == row_of(many.spins, same, 53));
    CHECK(row_of(few.betas, row, 7) == row_of(many.betas, same, 7));
  }
}

TEST_CASE("other seeds and streams give other states") {
  TemperingTask<float> task(Sizes{33, 20});
  task.plan.target = 0;
  const TemperingOutcome before = task.run();
  task.reads.seed += 1;
  CHECK(task.run().spins != before.spins);
  task.reads.seed -= 1;
  task.streams[0] = 99;
  const TemperingOutcome after = task.run();
  CHECK(row_of(after.spins, 0, 5 * 53) != row_of(before.spins, 0, 5 * 53));
  CHECK(row_of(after.spins, 1, 5 * 53) == row_of(before.spins, 1, 5 * 53));
}

TEST_CASE_TEMPLATE("energies are those of the states, and no flip of a lowest state gains", Real,
                   float, double) {
  TemperingTask<Real> task(Sizes{33, 20});
  for (const std::int64_t target : {-1, 3}) {
    task.plan.target = target;
    const TemperingOutcome result = task.run();
    CHECK(result.energies == task.energies_of(result.spins));
    CHECK((task.least_gain(result.spins) > -1e-5) == (target < 0));  // of the grid
  }
}

TEST_CASE(
    "relative betas are multiples of 1 / (rms local field of a random state), and the ladder says "
    "what they are") {
  for (const bool adaptive : {false, true}) {
    TemperingTask<double> task(Sizes{3, 2}, known_couplings());
    task.take_known_fields();
    task.plan.adaptive = adaptive;
    task.plan.target = 2;
    const TemperingOutcome relative = task.run();
    for (double& beta : task.betas) beta /= 2.0;  // the rms local field
    task.plan.relative = false;
    CHECK(task.run() == relative);
    for (const std::size_t fixed : {0, 2, 6}) CHECK(relative.betas[fixed] == task.betas[fixed]);
    CHECK((row_of(relative.betas, 0, 7) == task.betas) == !adaptive);
  }
}

TEST_CASE_TEMPLATE("a problem times a power of two has the same states, however small or large",
                   Real, float, double) {
  const TemperingOutcome expected = TemperingTask<Real>(Sizes{33, 20}).run();
  const int smallest = sizeof(Real) == sizeof(float) ? -100 : -900;
  for (const int power : {smallest, -30, 1, 90}) {
    TemperingTask<Real> task(Sizes{33, 20});
    task.scale(power);
    TemperingOutcome result = task.run();
    for (double& energy : result.energies) energy = std::ldexp(energy, -power);
    for (double& beta : result.betas) beta = std::ldexp(beta, power);
    CHECK(result == expected);
  }
}

// These bits are the same on every processor and stay within a minor version.
TEST_CASE("the same bits as on every other machine") {
  const SparseCouplings lattice = square_lattice(16);
  TemperingTask<float> dense(Sizes{120, 40}), sparse(lattice.sizes, lattice.couplings);
  TemperingTask<double> geometric(Sizes{33, 20});
  geometric.plan.adaptive = false;
  geometric.plan.target = 4;
  const TemperingOutcome results[] = {dense.run(), sparse.run(), geometric.run()};
  const std::uint64_t expected[][5] = {
      {4433307332856374837u, 2956716006624104750u, 16217577828444239998u, 1098859402577064732u,
       16714763329727612389u},
      {1511769927694968813u, 8623442920140563593u, 16095378708283690482u, 16277521744868601952u,
       16714763329727612389u},
      {18229569322881825759u, 18421821515639699091u, 3602486340971586046u, 4919952253069570098u,
       14212798676374675780u}};
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(hash_of(results[k].spins) == expected[k][0]);
    CHECK(hash_of(results[k].energies) == expected[k][1]);
    // Where spins have different scales, the last bits of betas in 1 / (unit of J) depend on exp2()
    // of the C library.
    const std::vector<float> betas(results[k].betas.begin(), results[k].betas.end());
    CHECK((k == 1 ? hash_of(betas) : hash_of(results[k].betas)) == expected[k][2]);
    CHECK(hash_of(results[k].acceptance) == expected[k][3]);
    CHECK(hash_of(results[k].round_trips) == expected[k][4]);
  }
}

// Betas relative to the rms local field of all spins, in 1 / (unit of J).
TEST_CASE("the same bits at absolute betas as on every other machine") {
  const SparseCouplings lattice = square_lattice(16);
  TemperingOutcome result;
  for (std::int64_t b = 0; b < 6; ++b) {
    TemperingTask<float> task(lattice.sizes, lattice.couplings);
    task.keep(b, b + 1);
    for (double& beta : task.betas) beta /= task.rms_field(0);
    task.plan.relative = false;
    result = joined(result, task.run());
  }
  CHECK(hash_of(result.spins) == 985971758395234389u);
  CHECK(hash_of(result.energies) == 9688771816767440713u);
  CHECK(hash_of(result.acceptance) == 6488433366434041482u);
  CHECK(hash_of(result.round_trips) == 16714763329727612389u);
}

TEST_CASE("fields that are not finite are refused") {
  TemperingTask<float> task(Sizes{17, 5});
  task.output_fields[7] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(task.run(), "fields must be finite and at most 1e300",
                       std::invalid_argument);
}

TEST_CASE("an interrupt ends long reads soon") {
  TemperingTask<float> task(Sizes{120, 40});
  task.plan.num_sweeps = 1'000'000;  // minutes of work
  for (const int num_threads : {1, 3}) {
    task.reads.num_threads = num_threads;
    std::chrono::steady_clock::time_point asked;
    Interrupt interrupt([&] {
      asked = std::chrono::steady_clock::now();
      return true;
    });
    CHECK_THROWS_AS(task.run(interrupt), Interrupted);
    CHECK(std::chrono::steady_clock::now() - asked <
          std::chrono::seconds(5));  // 0.1 s on an idle machine
  }
}

TEST_CASE("an interrupt also stops between replicas, of which there may be many large ones") {
  TemperingTask<float> task(Sizes{1000, 1000});
  task.keep(0, 1);
  task.reads.num_reads = 1;
  task.betas.assign(1000, 0.0);
  task.plan.betas = task.betas.data();
  task.plan.num_betas = 1000;
  task.plan.num_sweeps = 1;  // of all replicas, which takes some tenths of a second
  task.plan.target = 0;
  task.plan.adaptive = false;
  int asked = 0;
  Interrupt interrupt([&] { return ++asked == 2; });  // the first time may be before the sweep
  CHECK_THROWS_AS(task.run(interrupt), Interrupted);
}

}  // namespace
}  // namespace isingprop::test
