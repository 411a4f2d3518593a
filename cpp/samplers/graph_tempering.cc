#include "samplers/graph_tempering.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "graphs/graph_temperatures.h"
#include "graphs/read_memory.h"
#include "samplers/exchange.h"
#include "samplers/tempering.h"
#include "targets/dispatch.h"
#include "util/pool.h"

namespace isingprop {
namespace {

/// The replicas of one read: kMostReads in each memory, or one in each on a dense graph.
class GraphReplicas {
 public:
  GraphReplicas(const GraphGrid& grid, GraphTemperatures& temperatures, std::int64_t count)
      : grid_(grid),
        temperatures_(temperatures),
        per_memory_(grid.is_dense() ? 1 : kMostReads),
        count_(count),
        lane_slopes_(index((count + kMostReads - 1) / kMostReads * kMostReads)),
        lane_energies_(lane_slopes_.size()),
        lowest_(grid) {
    for (std::int64_t k = 0; k < count; k += per_memory_) {
      memories_.push_back(std::make_unique<ReadMemory>(grid));
    }
  }

  void set_interrupt(Interrupt& interrupt, bool may_poll) {
    interrupt_ = &interrupt;
    may_poll_ = may_poll;
  }

  /// Seeds all replicas, and sets them to one start state, or each to a random one.
  void start(std::uint64_t key, const std::int8_t* initial) {
    for (std::int64_t k = 0; k < count_; ++k) {
      const std::uint64_t key_of_replica = fold(key, static_cast<std::uint64_t>(k) + 1);
      ReadMemory& memory = memory_of(k);
      if (!grid_.is_dense()) memory.seed_block(lane_of(k), key_of_replica);
      if (grid_.is_dense()) memory.seed_one(key_of_replica);
      if (initial != nullptr && !grid_.is_dense()) memory.take_block(lane_of(k), initial);
      if (initial != nullptr && grid_.is_dense()) memory.take_one(initial);
    }

    for (std::size_t m = 0; m < memories_.size(); ++m) {
      const ReadMemory& memory = *memories_[m];
      if (initial == nullptr && !grid_.is_dense()) {
        kernels().start_reads(grid_.num_spins(), memory.block(size_of(m)));
      } else if (initial == nullptr) {
        kernels().start_one(grid_.num_spins(), memory.one());
      }
      if (grid_.is_dense()) kernels().begin_one(grid_.rows(), memory.one());
    }
  }

  float slope(double beta) const { return temperatures_.slope(beta); }
  double in_users_unit(double beta) { return temperatures_.in_users_unit(beta); }

  void sweep(const std::vector<std::int64_t>& replicas, const std::vector<float>& slopes, bool,
             std::vector<double>& energies) {
    for (std::size_t k = 0; k < slopes.size(); ++k) lane_slopes_[index(replicas[k])] = slopes[k];
    for (std::size_t m = 0; m < memories_.size(); ++m) {
      interrupt_->check(may_poll_);
      const auto first = static_cast<std::size_t>(per_memory_) * m;
      if (grid_.is_dense()) {
        const OneRead one = memories_[m]->one();
        kernels().sweep_one(grid_.rows(), one, &lane_slopes_[first], 1);
        lane_energies_[first] = kernels().one_energy(grid_.rows(), one);
      } else {
        const ReadBlock block = memories_[m]->block(size_of(m));
        kernels().sweep_reads(grid_.rows(), block, &lane_slopes_[first]);
        kernels().read_energies(grid_.rows(), block, &lane_energies_[first]);
      }
    }
    for (std::size_t k = 0; k < energies.size(); ++k) {
      energies[k] = lane_energies_[index(replicas[k])];
    }
  }

  /// Copies the spins of a replica to where write() takes them from.
  void keep(std::int64_t replica) {
    const ReadMemory& memory = memory_of(replica);
    if (grid_.is_dense()) {
      lowest_.copy_one(memory);
    } else {
      lowest_.copy_block(memory, lane_of(replica));
    }
  }

  /// Writes the spins that were kept last, after a descent if that is wanted.
  void write(bool descends, std::int8_t* spins, double* energy) {
    if (descends && grid_.is_dense()) {
      kernels().begin_one(grid_.rows(), lowest_.one());
      lowest_.descend_one(0, *interrupt_, may_poll_);
    } else if (descends) {
      lowest_.descend_block(1, *interrupt_, may_poll_);
    } else if (grid_.is_dense()) {
      lowest_.join(0);
    }
    lowest_.write(1, spins, energy);
  }

 private:
  static std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }
  ReadMemory& memory_of(std::int64_t replica) { return *memories_[index(replica / per_memory_)]; }
  int lane_of(std::int64_t replica) const { return static_cast<int>(replica % per_memory_); }
  int size_of(std::size_t m) const {
    const std::int64_t left = count_ - static_cast<std::int64_t>(m) * per_memory_;
    return static_cast<int>(std::min(left, per_memory_));
  }

  const GraphGrid& grid_;
  GraphTemperatures& temperatures_;
  std::int64_t per_memory_, count_;
  std::vector<float> lane_slopes_;
  std::vector<double> lane_energies_;
  std::vector<std::unique_ptr<ReadMemory>> memories_;
  ReadMemory lowest_;
  Interrupt* interrupt_ = nullptr;
  bool may_poll_ = false;
};

/// Runs one read after another on one thread.
struct GraphTemperer {
  GraphTemperer(const GraphGrid& grid, const GraphTemperatures& shared,
                const GraphTemperingPlan& plan)
      : temperatures(shared),
        replicas(grid, temperatures, plan.num_betas),
        exchange({.betas = plan.betas,
                  .num_betas = plan.num_betas,
                  .num_sweeps = plan.num_sweeps,
                  .target = plan.target,
                  .adaptive = plan.adaptive},
                 replicas) {}

  GraphTemperatures temperatures;
  GraphReplicas replicas;
  Exchange<GraphReplicas> exchange;
};

}  // namespace

void temper_graph(const GraphProblem& problem, const GraphTemperingPlan& plan,
                  const GraphTemperingResult& result, Interrupt& interrupt) {
  GraphGrid grid(problem);
  const double largest = plan.betas[plan.num_betas - 1];
  const GraphTemperatures temperatures(grid, {.relative = plan.relative, .largest = largest});
  check_target_is_seen(plan.target, plan.num_betas, temperatures.log2_least_gain());

  const GraphReads& reads = plan.reads;
  std::vector<std::unique_ptr<GraphTemperer>> workers(static_cast<std::size_t>(reads.num_threads));
  const auto run = [&](int thread, std::int64_t read) {
    auto& worker = workers[static_cast<std::size_t>(thread)];
    if (!worker) worker = std::make_unique<GraphTemperer>(grid, temperatures, plan);
    GraphReplicas& replicas = worker->replicas;
    replicas.set_interrupt(interrupt, thread == 0);

    const std::int64_t num_spins = problem.num_spins;
    replicas.start(reads.key(read), reads.initial_of(read, num_spins));
    worker->exchange.run(reads.key(read));
    if (plan.target >= 0) replicas.keep(worker->exchange.at_target());
    replicas.write(plan.target < 0, result.spins + read * num_spins, result.energies + read);

    const std::int64_t gaps = plan.num_betas - 1;
    worker->exchange.write(result.betas + read * plan.num_betas,
                           result.swap_acceptance + read * gaps, result.round_trips + read);
  };
  parallel_for(reads.num_threads, reads.count, 1, interrupt,
               [&](int thread, std::int64_t first, std::int64_t last) {
                 for (std::int64_t read = first; read < last; ++read) run(thread, read);
               });
}

}  // namespace isingprop
