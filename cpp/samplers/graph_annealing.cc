#include "samplers/graph_annealing.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "graphs/graph_temperatures.h"
#include "graphs/quanta_grid.h"
#include "graphs/read_memory.h"
#include "targets/dispatch.h"
#include "util/pool.h"

namespace isingprop {
namespace {

/// Up to this many reads of a sparse graph are annealed singly.
constexpr std::int64_t kMostSingleReads = 3;
/// Reads of the blocks that threads share are a multiple of this.
constexpr std::int64_t kReadStep = 8;

/// Anneals blocks of reads on one thread.
class Annealer {
 public:
  Annealer(const GraphGrid& grid, const QuantaGrid& quanta, const std::vector<float>& slopes,
           bool descends, const GraphReads& reads, const GraphAnnealingResult& result)
      : grid_(grid),
        quanta_(quanta),
        slopes_(slopes),
        descends_(descends),
        reads_(reads),
        result_(result),
        memory_(grid) {}

  void run(std::int64_t first, int count, Interrupt& interrupt, bool may_poll) {
    if (grid_.is_dense() || count <= kMostSingleReads) {
      for (int read = 0; read < count; ++read) {
        anneal_one(first + read, read, interrupt, may_poll);
      }
    } else {
      anneal_block(first, count, interrupt, may_poll);
    }
    memory_.write(count, result_.spins + first * grid_.num_spins(), result_.energies + first);
  }

 private:
  const std::int8_t* initial(std::int64_t read) const {
    return reads_.initial_of(read, grid_.num_spins());
  }

  /// Returns how many sweeps of `count` reads may pass between two polls of the interrupt.
  std::int64_t segment(int count) const {
    const std::int64_t work = 1 + (grid_.num_spins() + grid_.num_couplings() / kBlock) * count;
    return std::max<std::int64_t>(1, kWorkPerPoll / work);
  }

  /// Anneals one read into a read of the block.
  void anneal_one(std::int64_t number, int read, Interrupt& interrupt, bool may_poll) {
    const GraphRows& rows = grid_.rows();
    const OneRead one = memory_.one();
    memory_.seed_one(reads_.key(number));
    if (initial(number) == nullptr) {
      kernels().start_one(rows.num_spins, one);
    } else {
      memory_.take_one(initial(number));
    }

    kernels().begin_one(rows, one);
    const auto num_sweeps = static_cast<std::int64_t>(slopes_.size());
    for (std::int64_t t = 0, step = segment(1); t < num_sweeps; t += step) {
      interrupt.check(may_poll);
      kernels().sweep_one(rows, one, slopes_.data() + t, std::min(step, num_sweeps - t));
    }

    if (descends_) {
      memory_.descend_one(read, interrupt, may_poll);
    } else {
      memory_.join(read);
    }
  }

  void anneal_block(std::int64_t first, int count, Interrupt& interrupt, bool may_poll) {
    const GraphRows& rows = grid_.rows();
    const ReadBlock block = memory_.block(count);
    for (int read = 0; read < count; ++read) memory_.seed_block(read, reads_.key(first + read));
    if (reads_.initial == nullptr) {
      kernels().start_reads(rows.num_spins, block);
    } else {
      for (int read = 0; read < count; ++read) memory_.take_block(read, initial(first + read));
    }

    const std::int64_t step = segment(count);
    const bool has_bytes = quanta_.is_possible() && count >= kernels().least_quanta_reads();
    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      if (static_cast<std::int64_t>(t) % step == 0) interrupt.check(may_poll);
      if (has_bytes) {
        std::uint8_t tables[kLargestTables];
        quanta_.fill_tables(slopes_[t], tables);
        kernels().sweep_quanta(quanta_.rows(), block, tables);
      } else {
        float slopes[kMostReads];
        std::fill_n(slopes, kMostReads, slopes_[t]);
        kernels().sweep_reads(rows, block, slopes);
      }
    }
    if (descends_) memory_.descend_block(count, interrupt, may_poll);
  }

  const GraphGrid& grid_;
  const QuantaGrid& quanta_;
  const std::vector<float>& slopes_;
  bool descends_;
  const GraphReads& reads_;
  const GraphAnnealingResult& result_;
  ReadMemory memory_;
};

/// Returns how many reads a block has, so that all threads get as many blocks.
std::int64_t reads_per_block(const GraphReads& reads) {
  std::int64_t blocks = (reads.count + kMostReads - 1) / kMostReads;
  blocks = (blocks + reads.num_threads - 1) / reads.num_threads * reads.num_threads;
  const std::int64_t share = (reads.count + blocks - 1) / blocks;
  return std::min<std::int64_t>(kMostReads, (share + kReadStep - 1) / kReadStep * kReadStep);
}

}  // namespace

void anneal_graph(const GraphProblem& problem, const GraphAnnealingPlan& plan,
                  const GraphAnnealingResult& result, Interrupt& interrupt) {
  GraphGrid grid(problem);
  const double* end = plan.betas + plan.num_sweeps;
  const double largest = plan.num_sweeps > 0 ? *std::max_element(plan.betas, end) : 0.0;
  GraphTemperatures temperatures(grid, {.relative = plan.relative, .largest = largest});
  std::vector<float> slopes;
  for (const double* beta = plan.betas; beta < end; ++beta) {
    slopes.push_back(temperatures.slope(*beta));
  }
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  result.range[0] = slopes.empty() ? nothing : temperatures.in_users_unit(plan.betas[0]);
  result.range[1] = slopes.empty() ? nothing : temperatures.in_users_unit(end[-1]);

  bool descends = plan.descent == Descent::kAlways;
  if (plan.descent == Descent::kWhereCold && !slopes.empty()) {
    descends = temperatures.is_cold(end[-1], kColdBeta);
  }

  const std::int64_t size = reads_per_block(plan.reads);
  const QuantaGrid quanta(grid, size >= kernels().least_quanta_reads());
  const std::int64_t num_blocks = (plan.reads.count + size - 1) / size;
  std::vector<std::unique_ptr<Annealer>> workers(static_cast<std::size_t>(plan.reads.num_threads));
  parallel_for(plan.reads.num_threads, num_blocks, 1, interrupt,
               [&](int thread, std::int64_t first, std::int64_t last) {
                 auto& worker = workers[static_cast<std::size_t>(thread)];
                 if (!worker) {
                   worker = std::make_unique<Annealer>(grid, quanta, slopes, descends, plan.reads,
                                                       result);
                 }
                 for (std::int64_t block = first; block < last; ++block) {
                   const std::int64_t count = std::min(size, plan.reads.count - block * size);
                   worker->run(block * size, static_cast<int>(count), interrupt, thread == 0);
                 }
               });
}

void absolute_graph_betas(const GraphProblem& problem, const double* relative, std::int64_t count,
                          double* betas) {
  GraphGrid grid(problem);
  GraphTemperatures temperatures(grid, {.relative = false, .largest = 0.0});
  for (std::int64_t k = 0; k < count; ++k) betas[k] = temperatures.absolute(relative[k]);
}

}  // namespace isingprop
