#include <stdexcept>

#include "samplers/graph_tempering.h"
#include "support/graph_problems.h"

namespace isingprop::test {
namespace {

constexpr std::uint64_t kSeed = 7;

struct Result {
  std::vector<std::int8_t> spins;
  std::vector<double> energies, betas, acceptance;
  std::vector<std::int64_t> round_trips;

  bool operator==(const Result&) const = default;
};

struct Task {
  std::vector<double> betas = {0.2, 0.4, 0.8, 1.5};
  std::int64_t num_sweeps = 6, target = -1;
  bool adaptive = false;
  std::int64_t first = 0, count = 4;
  int num_threads = 1;
  const std::int8_t* initial = nullptr;
};

Result tempered(const GraphInstance& graph, const Task& task) {
  const auto num_betas = static_cast<std::int64_t>(task.betas.size());
  Result result{.spins = std::vector<std::int8_t>(size(task.count * graph.num_spins)),
                .energies = std::vector<double>(size(task.count)),
                .betas = std::vector<double>(size(task.count * num_betas)),
                .acceptance = std::vector<double>(size(task.count * (num_betas - 1))),
                .round_trips = std::vector<std::int64_t>(size(task.count))};
  const GraphTemperingPlan plan{.betas = task.betas.data(),
                                .num_betas = num_betas,
                                .num_sweeps = task.num_sweeps,
                                .target = task.target,
                                .relative = false,
                                .adaptive = task.adaptive,
                                .reads = {.first = task.first,
                                          .count = task.count,
                                          .seed = kSeed,
                                          .initial = task.initial,
                                          .num_threads = task.num_threads}};
  Interrupt interrupt = never();
  temper_graph(graph.problem(), plan,
               {.spins = result.spins.data(),
                .energies = result.energies.data(),
                .betas = result.betas.data(),
                .swap_acceptance = result.acceptance.data(),
                .round_trips = result.round_trips.data()},
               interrupt);
  return result;
}

std::vector<std::int8_t> row(const Result& result, const GraphInstance& graph, std::int64_t read) {
  const auto begin = result.spins.begin() + read * graph.num_spins;
  return {begin, begin + graph.num_spins};
}

/// Returns the state at the target of a ladder that does not adapt, or the lowest after a descent.
std::vector<std::int8_t> twin_of(const GraphInstance& graph, const Task& task, std::int64_t read) {
  const std::uint64_t key = stream_key(kSeed, 0, static_cast<std::uint64_t>(read));
  std::vector<ScalarGraph> replicas;
  std::vector<std::size_t> rungs;
  for (std::size_t k = 0; k < task.betas.size(); ++k) {
    replicas.emplace_back(graph, fold(key, k + 1)).start_at_random();
    rungs.push_back(k);
  }

  std::uint64_t random = fold(key, 0);
  ScalarGraph lowest = replicas.front();
  double lowest_energy = std::numeric_limits<double>::infinity();
  for (std::int64_t sweep = 0; sweep < task.num_sweeps; ++sweep) {
    std::vector<double> energies;
    for (std::size_t k = 0; k < rungs.size(); ++k) {
      replicas[rungs[k]].sweep(task.betas[k]);
      energies.push_back(replicas[rungs[k]].energy());
      if (energies[k] >= lowest_energy) continue;
      lowest_energy = energies[k];
      lowest.spins = replicas[rungs[k]].spins;
    }
    for (std::size_t k = size(sweep % 2); k + 1 < rungs.size(); k += 2) {
      const auto r = static_cast<std::uint32_t>(mix(random += kGoldenGamma) >> 32);
      const double x = (task.betas[k] - task.betas[k + 1]) * (energies[k] - energies[k + 1]);
      if (flips(r, x / std::log(2.0))) std::swap(rungs[k], rungs[k + 1]);
    }
  }
  if (task.target >= 0) return replicas[rungs[size(task.target)]].spins;
  lowest.descend();
  return lowest.spins;
}

TEST_CASE("reads are those of their scalar twin, on every table") {
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    for (const std::int64_t target : {-1, 0, 2}) {
      const Task task{.target = target};
      std::vector<std::vector<std::int8_t>> twins;
      for (std::int64_t read = 0; read < task.count; ++read) {
        twins.push_back(twin_of(graph, task, read));
      }
      on_every_table([&] {
        const Result result = tempered(graph, task);
        for (std::int64_t read = 0; read < task.count; ++read) {
          CHECK(row(result, graph, read) == twins[size(read)]);
        }
      });
    }
  }
}

TEST_CASE("a read does not depend on threads nor on the other reads of its call") {
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    const Task whole{.num_sweeps = 60, .adaptive = true};
    const Result all = tempered(graph, whole);
    for (const int num_threads : {2, 3}) {
      Task task = whole;
      task.num_threads = num_threads;
      const Result result = tempered(graph, task);
      CHECK(result.spins == all.spins);
      CHECK(same_bits(result.betas, all.betas));
      CHECK(same_bits(result.acceptance, all.acceptance));
    }
    for (std::int64_t read = 0; read < whole.count; ++read) {
      Task task = whole;
      task.first = read;
      task.count = 1;
      CHECK(row(tempered(graph, task), graph, 0) == row(all, graph, read));
    }
  }
}

TEST_CASE("a ladder may have more rungs than a block has reads") {
  const GraphInstance graph = random_graph("sparse", 75, 0.06, false);
  Task task{.betas = {}, .num_sweeps = 3, .target = 99, .count = 2};
  for (int k = 0; k < 100; ++k) task.betas.push_back(0.1 + 0.01 * k);
  on_every_table([&] {
    const Result result = tempered(graph, task);
    for (std::int64_t read = 0; read < 2; ++read) {
      CHECK(row(result, graph, read) == twin_of(graph, task, read));
    }
  });
}

TEST_CASE("samples at one temperature of parts too far apart in scale are refused") {
  GraphInstance graph{.name = "graded", .num_spins = 4};
  graph.ends = {0, 1, 2, 3};
  graph.couplings = {1e20, 1.0};
  graph.fields.assign(4, 0.0);
  CHECK_THROWS_AS(tempered(graph, {.target = 0}), std::invalid_argument);
  CHECK_NOTHROW(tempered(graph, {}));
}

}  // namespace
}  // namespace isingprop::test
