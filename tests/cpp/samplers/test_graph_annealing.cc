#include <limits>
#include <stdexcept>

#include "samplers/graph_annealing.h"
#include "support/graph_problems.h"

namespace isingprop::test {
namespace {

constexpr std::uint64_t kSeed = 7;

std::uint64_t key_of(std::int64_t read) {
  return stream_key(kSeed, 0, static_cast<std::uint64_t>(read));
}

struct Result {
  std::vector<std::int8_t> spins;
  std::vector<double> energies;

  bool operator==(const Result&) const = default;
};

struct Task {
  std::vector<double> betas = {0.1, 0.3, 0.9, 2.0};
  Descent descent = Descent::kNever;
  std::int64_t first = 0, count = 70;
  int num_threads = 1;
  const std::int8_t* initial = nullptr;
  bool relative = false;
};

Result annealed(const GraphInstance& graph, const Task& task, Interrupt& interrupt) {
  Result result{.spins = std::vector<std::int8_t>(size(task.count * graph.num_spins)),
                .energies = std::vector<double>(size(task.count))};
  const GraphAnnealingPlan plan{.betas = task.betas.data(),
                                .num_sweeps = static_cast<std::int64_t>(task.betas.size()),
                                .relative = task.relative,
                                .descent = task.descent,
                                .reads = {.first = task.first,
                                          .count = task.count,
                                          .seed = kSeed,
                                          .initial = task.initial,
                                          .num_threads = task.num_threads}};
  double range[2];
  anneal_graph(graph.problem(), plan, {result.spins.data(), result.energies.data(), range},
               interrupt);
  return result;
}
Result annealed(const GraphInstance& graph, const Task& task) {
  Interrupt interrupt = never();
  return annealed(graph, task, interrupt);
}

std::vector<std::int8_t> row(const Result& result, const GraphInstance& graph, std::int64_t read) {
  const auto begin = result.spins.begin() + read * graph.num_spins;
  return {begin, begin + graph.num_spins};
}

TEST_CASE("reads are those of their scalar twin, bit for bit, on every table") {
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    for (const Descent descent : {Descent::kNever, Descent::kAlways}) {
      Task task{.descent = descent};
      std::vector<ScalarGraph> twins;
      for (std::int64_t read = 0; read < task.count; ++read) {
        ScalarGraph& twin = twins.emplace_back(graph, key_of(read));
        twin.start_at_random();
        for (const double beta : task.betas) twin.sweep(beta);
        if (descent == Descent::kAlways) twin.descend();
      }
      on_every_table([&] {
        const Result result = annealed(graph, task);
        for (std::int64_t read = 0; read < task.count; ++read) {
          CHECK(row(result, graph, read) == twins[size(read)].spins);
          CHECK(result.energies[size(read)] == twins[size(read)].energy());
        }
      });
    }
  }
}

TEST_CASE("a read does not depend on threads nor on the other reads of its call") {
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    const Result all = annealed(graph, {});
    for (const int num_threads : {2, 3, 7}) {
      CHECK(annealed(graph, {.num_threads = num_threads}) == all);
    }
    on_every_table([&] {
      for (const auto& [first, count] : std::vector<std::pair<std::int64_t, std::int64_t>>{
               {0, 1}, {69, 1}, {5, 3}, {1, 4}, {3, 9}, {20, 17}, {11, 33}, {2, 64}}) {
        CAPTURE(count);
        const Result part = annealed(graph, {.first = first, .count = count});
        for (std::int64_t read = 0; read < count; ++read) {
          CHECK(row(part, graph, read) == row(all, graph, first + read));
        }
      }
    });
  }
}

TEST_CASE("reads start from given states, and without sweeps stay there or descend") {
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    const std::vector<std::int8_t> initial = Random(3).spins(70 * graph.num_spins);
    CHECK(annealed(graph, {.betas = {}, .initial = initial.data()}).spins == initial);

    const Task task{.betas = {}, .descent = Descent::kAlways, .initial = initial.data()};
    const Result result = annealed(graph, task);
    for (std::int64_t read = 0; read < 70; ++read) {
      ScalarGraph twin(graph, key_of(read));
      const auto begin = initial.begin() + read * graph.num_spins;
      twin.spins = {begin, begin + graph.num_spins};
      twin.descend();
      CHECK(row(result, graph, read) == twin.spins);
    }
  }
}

TEST_CASE("at an infinite beta no flip raises the energy") {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const GraphInstance& graph : graphs()) {
    CAPTURE(graph.name);
    const std::vector<std::int8_t> initial = Random(3).spins(70 * graph.num_spins);
    double last = std::numeric_limits<double>::infinity();
    for (const std::size_t num_sweeps : {0, 1, 2, 30}) {
      const Task task{.betas = std::vector<double>(num_sweeps, infinite),
                      .initial = initial.data()};
      const double energy = annealed(graph, task).energies[0];
      CHECK(energy <= last);
      last = energy;
    }
  }
}

TEST_CASE("a descent ends where no flip lowers the energy that was given, however small") {
  // On the grid the fields of spins 0 and 1 cancel.
  GraphInstance graph{.name = "nearly cancelling", .num_spins = 3};
  graph.ends = {0, 1, 1, 2};
  graph.couplings = {1.0 + 0x1p-40, 1.0};
  graph.fields = {-1.0, 0.0, 0.0};
  for (const std::int64_t count : {1, 70}) {
    const std::vector<std::int8_t> initial(size(count * 3), 1);
    const Task task{
        .betas = {}, .descent = Descent::kAlways, .count = count, .initial = initial.data()};
    const Result result = annealed(graph, task);
    for (std::int64_t read = 0; read < count; ++read) {
      const std::vector<std::int8_t> s = row(result, graph, read);
      const double f0 = graph.fields[0] + graph.couplings[0] * s[1];
      CHECK(s[0] * f0 <= 0.0);
      CHECK(s[1] * (graph.couplings[0] * s[0] + s[2]) <= 0.0);
    }
  }
}

TEST_CASE("parts of very different scale have units of their own") {
  GraphInstance graph{.name = "graded", .num_spins = 40};
  Random random(5);
  for (std::int64_t u = 0; u + 1 < 40; ++u) {
    if (u == 19) continue;
    graph.ends.push_back(u);
    graph.ends.push_back(u + 1);
    graph.couplings.push_back(random.uniform(-1.0, 1.0) * (u < 19 ? 1e12 : 1e-6));
  }
  graph.fields.assign(40, 0.0);
  Task task{.betas = {}, .descent = Descent::kAlways, .relative = true};
  for (double beta = 0.5; beta < 20.0; beta *= 1.02) task.betas.push_back(beta);
  const Result result = annealed(graph, task);

  double satisfied[2] = {}, all[2] = {};  // |J| of the strong and of the weak part
  for (std::int64_t read = 0; read < task.count; ++read) {
    const std::vector<std::int8_t> s = row(result, graph, read);
    for (std::size_t k = 0; k < graph.couplings.size(); ++k) {
      const std::size_t u = size(graph.ends[2 * k]), v = size(graph.ends[2 * k + 1]), part = u > 19;
      all[part] += std::abs(graph.couplings[k]);
      satisfied[part] -= s[u] * s[v] * graph.couplings[k];
    }
  }
  for (const int part : {0, 1}) CHECK(satisfied[part] > 0.95 * all[part]);
}

TEST_CASE("states and energies do not change") {
  std::vector<std::uint64_t> hashes;
  for (const GraphInstance& graph : graphs()) {
    const Result result = annealed(graph, {.descent = Descent::kWhereCold});
    hashes.push_back(hash_of(result.spins));
    hashes.push_back(hash_of(result.energies));
  }
  CHECK(hash_of(hashes) == 9602026479457378858u);
}

TEST_CASE("an interrupt ends a call") {
  const GraphInstance graph = random_graph("sparse", 2000, 0.01, false);
  for (const int num_threads : {1, 3}) {
    Interrupt interrupt([] { return true; });
    const Task task{.betas = std::vector<double>(1000000, 1.0), .num_threads = num_threads};
    CHECK_THROWS_AS(annealed(graph, task, interrupt), Interrupted);
  }
}

TEST_CASE("numbers that are not finite or too large are refused") {
  for (const double number :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 2e300}) {
    GraphInstance graph = random_graph("sparse", 10, 0.2, false);
    graph.couplings[1] = number;
    CHECK_THROWS_AS(annealed(graph, {}), std::invalid_argument);
    graph.couplings[1] = 1.0;
    graph.fields[1] = number;
    CHECK_THROWS_AS(annealed(graph, {}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace isingprop::test
