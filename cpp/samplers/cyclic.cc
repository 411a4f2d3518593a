#include "samplers/cyclic.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "chains/chains.h"
#include "chains/run_reads.h"
#include "kernels/metropolis/random_stream.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Runs the cycles of one read after another on one thread.
template <class Real>
class Cycler {
 public:
  Cycler(const Problem<Real>& problem, const CyclicPlan& plan, const CouplingGrid& grid,
         std::int8_t* cycle_spins)
      : problem_(problem),
        plan_(plan),
        grid_(grid),
        cycle_spins_(cycle_spins),
        chains_(grid, 2,
                {.relative = plan.relative,
                 .largest = *std::max_element(plan.betas, plan.betas + plan.num_sweeps)}),
        slopes_(static_cast<std::size_t>(plan.num_sweeps)) {}

  void load(std::int64_t b) {
    if (!chains_.load_fields(problem_, b)) return;
    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      slopes_[t] = chains_.slope(plan_.betas[t]);
    }
  }

  void run(std::int64_t b, std::int64_t read, std::int8_t* spins, Interrupt& interrupt,
           bool may_poll) {
    const Reads& reads = plan_.reads;
    const std::int64_t num_spins = problem_.num_spins();
    // Annealing with the same seed uses another stream, because the references may come from there.
    const auto read_number = static_cast<std::uint64_t>(read);
    const std::uint64_t key = stream_key(reads.seed, reads.streams[b], read_number);
    seed_generator(fold(key, 0), chains_[0].generator);

    std::copy_n(reads.initial_of(b, read), num_spins, spins);
    double lowest = energy_of(b, spins);

    InterruptTimer timer(chains_[0], interrupt, may_poll);
    std::int8_t* end = cycle_spins_ + (b * reads.num_reads + read) * plan_.num_cycles * num_spins;
    for (std::int64_t cycle = 0; cycle < plan_.num_cycles; ++cycle, end += num_spins) {
      run_cycle(b, spins, end, timer);
      const double energy = energy_of(b, end);
      if (!(energy < lowest)) continue;
      lowest = energy;
      std::copy_n(end, num_spins, spins);
    }
  }

 private:
  double energy_of(std::int64_t b, const std::int8_t* spins) const {
    double energy = 0.0;
    problem_.energies_of(b, spins, 1, &energy, grid_.hidden_spans());
    return energy;
  }

  void run_cycle(std::int64_t b, const std::int8_t* from, std::int8_t* to, InterruptTimer& timer) {
    const KernelTable& kernel = kernels();
    const Chain &chain = chains_[0], &reference = chains_[1];
    read_spins(from, chain);
    read_spins(from, reference);

    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      timer.count(1);
      chains_.pull(reference, plan_.biases[t]);
      kernel.anneal(chain, &slopes_[t], 1, t == 0);
    }

    chains_.pull(reference, 0.0);
    chains_.descend(problem_, b, 0, false, to);
  }

  const Problem<Real>& problem_;
  const CyclicPlan& plan_;
  const CouplingGrid& grid_;
  std::int8_t* cycle_spins_;
  Chains chains_;  ///< chain 0 is annealed, and chain 1 holds the reference
  std::vector<float> slopes_;
};

}  // namespace

template <class Real>
void cycle(const Problem<Real>& problem, const CyclicPlan& plan, std::int8_t* spins,
           double* energies, std::int8_t* cycle_spins, Interrupt& interrupt) {
  const CouplingGrid grid(problem);
  run_reads(problem, plan.reads, grid, spins, energies, interrupt,
            [&] { return std::make_unique<Cycler<Real>>(problem, plan, grid, cycle_spins); });
}

template void cycle(const Problem<float>&, const CyclicPlan&, std::int8_t*, double*, std::int8_t*,
                    Interrupt&);
template void cycle(const Problem<double>&, const CyclicPlan&, std::int8_t*, double*, std::int8_t*,
                    Interrupt&);

}  // namespace isingprop
