#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <stdexcept>

#include "samplers/cyclic.h"
#include "support/batch.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

struct Result {
  std::vector<std::int8_t> spins, cycle_spins;
  std::vector<double> energies;

  bool operator==(const Result&) const = default;
};

/// A batch with references, and a plan of cyclic annealing for it.
template <class Real>
class Task : public Batch<Real> {
 public:
  std::vector<double> betas, biases;
  CyclicPlan plan;

  template <class... Arguments>
  explicit Task(Arguments... arguments) : Batch<Real>(arguments...) {
    constexpr int kSweeps = 24;
    for (double beta = 0.5; betas.size() < kSweeps; beta *= 1.125)
      betas.push_back(beta);  // exact on every machine
    for (int k = kSweeps - 1; k >= 0; --k) biases.push_back(0.125 * k);
    plan = {.betas = betas.data(),
            .biases = biases.data(),
            .num_sweeps = kSweeps,
            .num_cycles = 4,
            .relative = true,
            .reads = this->reads};
    this->start_from_states();
  }

  Result run() const {
    Interrupt never([] { return false; });
    return run(never);
  }
  Result run(Interrupt& interrupt) const {
    CyclicPlan asked = plan;
    asked.reads = this->reads;
    const auto chains = static_cast<std::size_t>(this->num_chains());
    const std::size_t size = chains * static_cast<std::size_t>(this->num_spins());
    Result result{std::vector<std::int8_t>(size),
                  std::vector<std::int8_t>(size * static_cast<std::size_t>(plan.num_cycles)),
                  std::vector<double>(chains)};
    cycle(this->problem, asked, result.spins.data(), result.energies.data(),
          result.cycle_spins.data(), interrupt);
    return result;
  }
};

Result joined(Result a, const Result& b) {
  append(a.spins, b.spins);
  append(a.cycle_spins, b.cycle_spins);
  append(a.energies, b.energies);
  return a;
}

/// Subtracts bias * (a state) from the own fields, in float, which pulls toward that state. The
/// bias is in the largest unit of the grid, and gains are the units of the spins over that one.
void pull(ScalarChain& chain, const ScalarChain& from, float bias) {
  const auto fields = [bias](const ScalarLayer& layer) {
    std::vector<float> pulled;
    for (std::size_t i = 0; i < layer.spins.size(); ++i) {
      const float own_bias = layer.gains.empty() ? bias : bias / layer.gains[i];
      pulled.push_back(layer.own_fields[i] - own_bias * static_cast<float>(layer.spins[i]));
    }
    return pulled;
  };
  chain.hidden.own_fields = fields(from.hidden);
  chain.output.own_fields = fields(from.output);
}

/// Returns the states in which the cycles of one read end, computed in scalar code.
std::vector<std::int8_t> scalar_cycles(const Task<float>& task, std::int64_t b, std::int64_t read) {
  const CouplingGrid grid = task.grid();
  const std::int8_t* initial = task.reads.initial_of(b, read);
  ScalarChain chain = task.twin(grid, b), lowest = chain;  // which keeps the problem's own fields
  const std::uint64_t key = stream_key(task.reads.seed, task.streams[static_cast<std::size_t>(b)],
                                       static_cast<std::uint64_t>(read));
  std::vector<std::uint32_t> words(kGeneratorWords);
  seed_generator(fold(key, 0), words.data());
  chain.set_words(words);
  lowest.hidden.spins = {initial, initial + task.sizes.num_hidden};
  lowest.output.spins = {initial + task.sizes.num_hidden, initial + task.num_spins()};
  std::vector<std::int8_t> ends;
  for (std::int64_t cycle = 0; cycle < task.plan.num_cycles; ++cycle) {
    chain.hidden.spins = lowest.hidden.spins;
    chain.output.spins = lowest.output.spins;
    for (std::size_t t = 0; t < task.betas.size(); ++t) {
      pull(chain, lowest, static_cast<float>(std::ldexp(task.biases[t], -grid.exponent())));
      chain.sweep(slope_of(task.betas[t], grid));
    }
    pull(chain, lowest, 0.0f);
    chain.descend();
    append(ends, chain.hidden.spins);
    append(ends, chain.output.spins);
    if (chain.energy() < lowest.energy()) {
      lowest.hidden.spins = chain.hidden.spins;
      lowest.output.spins = chain.output.spins;
    }
  }
  return ends;
}

void check_twins(Task<float>& task) {
  task.keep(0, 2);
  task.plan.relative = false;
  const Result result = task.run();
  for (std::int64_t row = 0; row < task.num_chains(); ++row) {
    CHECK(row_of(result.cycle_spins, row, task.plan.num_cycles * task.num_spins()) ==
          scalar_cycles(task, row / task.reads.num_reads, row % task.reads.num_reads));
  }
}

TEST_CASE("the cycles of a read are those of its scalar twin, bit for bit") {
  for (const Sizes& sizes : {Sizes{33, 20}, Sizes{3, 40}, Sizes{1, 1}}) {
    for (const double strength : {0.0, 0.1, 1.0}) {
      Task<float> task(sizes);
      for (double& bias : task.biases) bias *= strength;
      check_twins(task);
    }
  }
  Task<float> held(Sizes{33, 20});
  for (double& bias : held.biases) bias = 1.0;  // gone in the descent alone
  check_twins(held);
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    Task<float> task(sparse.sizes, sparse.couplings);
    task.reads.num_reads = 1;
    check_twins(task);
  }
  const Sizes sizes{33, 20};
  Task<float> graded(sizes, graded_couplings(sizes));  // spins have units of their own
  REQUIRE(graded.grid().is_graded());
  check_twins(graded);
}

TEST_CASE_TEMPLATE("the lowest state, the reference included, is returned with its energy", Real,
                   float, double) {
  Task<Real> task(Sizes{33, 20});
  const Result result = task.run();
  CHECK(result.energies == task.energies_of(result.spins));
  const std::vector<double> references = task.energies_of(task.states),
                            ends = task.energies_of(result.cycle_spins);
  for (std::size_t row = 0; row < references.size(); ++row) {
    double lowest = references[row];
    for (std::size_t cycle = 0; cycle < 4; ++cycle)
      lowest = std::min(lowest, ends[4 * row + cycle]);
    CHECK(result.energies[row] == lowest);
  }
}

TEST_CASE("a reference that no cycle beats is kept, and every cycle begins from it") {
  Task<float> task(Sizes{17, 5});
  const Result before = task.run();
  task.states = before.spins;
  for (double& bias : task.biases) bias = 1e6;  // until the last sweep
  const Result after = task.run();
  CHECK(after.spins == before.spins);
  CHECK(after.energies == before.energies);
  for (std::int64_t row = 0; row < task.num_chains() * 4; ++row) {
    CHECK(row_of(after.cycle_spins, row, 22) == row_of(before.spins, row / 4, 22));
  }
}

TEST_CASE("a reference is kept where a cycle ends in another state that is no lower") {
  Task<float> task(Sizes{17, 5});
  for (auto* part : {&task.couplings, &task.hidden_fields, &task.output_fields})
    part->assign(part->size(), 0.0f);
  for (double& bias : task.biases) bias = 0.0;
  const Result result = task.run();
  CHECK(result.spins == task.states);
  CHECK(row_of(result.cycle_spins, 0, 22) != row_of(task.states, 0, 22));
}

TEST_CASE_TEMPLATE("each cycle ends where no flip gains", Real, float, double) {
  Task<Real> task(Sizes{33, 20});
  CHECK(task.least_gain(task.run().cycle_spins) > -1e-5);  // of the grid
}

TEST_CASE("the cycles of a longer run begin as those of a shorter one") {
  Task<float> task(Sizes{33, 20});
  const Result four = task.run();
  task.plan.num_cycles = 2;
  const Result two = task.run();
  for (std::int64_t row = 0; row < task.num_chains(); ++row) {
    CHECK(row_of(two.cycle_spins, row, 2 * 53) == row_of(four.cycle_spins, 2 * row, 2 * 53));
    CHECK(four.energies[static_cast<std::size_t>(row)] <=
          two.energies[static_cast<std::size_t>(row)]);
  }
}

TEST_CASE_TEMPLATE("the same bits on every table, for any number of threads and any batches", Real,
                   float, double) {
  const Sizes sizes{33, 20};
  Task<Real> task(sizes), first(sizes), rest(sizes);
  first.keep(0, 2);
  rest.keep(2, 6);
  const Result expected = task.run();
  on_every_table([&] {
    for (const int num_threads : {1, 2, 5}) {
      task.reads.num_threads = num_threads;
      CHECK(task.run() == expected);
    }
    CHECK(joined(first.run(), rest.run()) == expected);
  });
}

TEST_CASE(
    "more reads, one reference and one row of output fields for all leave the reads there were as "
    "they are") {
  Task<float> task(Sizes{33, 20}), more(Sizes{33, 20});
  task.repeat_output_fields();
  more.read_more_with_one_output_row(9);
  for (Task<float>* each : {&task, &more})
    each->reads.initial_read_stride = each->reads.initial_problem_stride = 0;
  const Result few = task.run(), many = more.run();
  for (std::int64_t row = 0; row < task.num_chains(); ++row) {
    CHECK(row_of(few.cycle_spins, row, 4 * 53) ==
          row_of(many.cycle_spins, row / 5 * 9 + row % 5, 4 * 53));
  }
  CHECK(row_of(many.cycle_spins, 0, 4 * 53) != row_of(many.cycle_spins, 1, 4 * 53));
}

TEST_CASE(
    "relative betas are multiples of 1 / (rms local field of a random state), biases are in units "
    "of J") {
  Task<double> task(Sizes{3, 2}, known_couplings());
  task.take_known_fields();
  const Result relative = task.run();
  for (double& beta : task.betas) beta /= 2.0;  // the rms local field
  task.plan.relative = false;
  CHECK(task.run() == relative);
}

TEST_CASE_TEMPLATE("a problem and a bias times a power of two have the same states", Real, float,
                   double) {
  const Result expected = Task<Real>(Sizes{33, 20}).run();
  const int smallest = sizeof(Real) == sizeof(float) ? -100 : -900;
  for (const int power : {smallest, -30, 1, 90}) {
    Task<Real> task(Sizes{33, 20});
    task.scale(power);
    for (double& bias : task.biases) bias = std::ldexp(bias, power);
    Result result = task.run();
    for (double& energy : result.energies) energy = std::ldexp(energy, -power);
    CHECK(result == expected);
  }
}

// These bits are the same on every processor and stay within a minor version.
TEST_CASE("the same bits as on every other machine") {
  const SparseCouplings lattice = square_lattice(16);
  const Result results[] = {Task<float>(Sizes{120, 40}).run(), Task<double>(Sizes{33, 20}).run(),
                            Task<float>(lattice.sizes, lattice.couplings).run()};
  const std::uint64_t expected[][3] = {
      {14697813123080923613u, 14081178848402092089u, 12726939632114934994u},
      {7648286333499989151u, 9698254252977844675u, 6000957481799485792u},
      {8181718504297987575u, 13047779233462019559u, 10123401093017272173u}};
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(hash_of(results[k].spins) == expected[k][0]);
    CHECK(hash_of(results[k].cycle_spins) == expected[k][1]);
    CHECK(hash_of(results[k].energies) == expected[k][2]);
  }
}

// Betas relative to the rms local field of all spins, in 1 / (unit of J).
TEST_CASE("the same bits at absolute betas as on every other machine") {
  const SparseCouplings lattice = square_lattice(16);
  Result result;
  for (std::int64_t b = 0; b < 6; ++b) {
    Task<float> task(lattice.sizes, lattice.couplings);
    task.keep(b, b + 1);
    for (double& beta : task.betas) beta /= task.rms_field(0);
    task.plan.relative = false;
    result = joined(result, task.run());
  }
  CHECK(hash_of(result.spins) == 14454917081140855411u);
  CHECK(hash_of(result.cycle_spins) == 11841684807452697681u);
  CHECK(hash_of(result.energies) == 10714992495319118504u);
}

TEST_CASE("fields that are not finite are refused") {
  Task<float> task(Sizes{17, 5});
  task.output_fields[7] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(task.run(), "fields must be finite and at most 1e300",
                       std::invalid_argument);
}

TEST_CASE("an interrupt ends long cycles soon") {
  Task<float> task(Sizes{120, 40});
  task.betas.assign(1'000'000, 1.0);  // minutes of work
  task.biases.assign(1'000'000, 0.5);
  task.plan.betas = task.betas.data();
  task.plan.biases = task.biases.data();
  task.plan.num_sweeps = 1'000'000;
  task.plan.num_cycles = 1;
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

}  // namespace
}  // namespace isingprop::test
