#include "samplers/annealing.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "chains/chains.h"
#include "chains/run_reads.h"
#include "kernels/annealing/random_stream.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Anneals one read after the other on one thread.
template <class Real>
class Annealer {
 public:
  Annealer(const Problem<Real>& problem, const AnnealingPlan& plan, const CouplingGrid& grid)
      : problem_(problem),
        plan_(plan),
        chains_(problem.num_hidden, problem.num_output, grid, 1),
        slopes_(static_cast<std::size_t>(plan.num_sweeps)) {}

  void load(std::int64_t b) {
    chains_.load_fields(problem_, b);
    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      slopes_[t] = chains_.slope(plan_.betas[t], plan_.relative);
    }
  }

  void run(std::int64_t b, std::int64_t read, std::int8_t* spins, Interrupt& interrupt,
           bool may_poll) {
    const Chain& chain = chains_[0];
    const KernelTable& kernel = kernels();
    const Reads& reads = plan_.reads;
    const auto read_number = static_cast<std::uint64_t>(read);
    seed_generator(stream_key(reads.seed, reads.streams[b], read_number), chain.generator);
    start(reads.initial_of(b, read), chain);

    InterruptTimer timer(chain, interrupt, may_poll);
    const std::int64_t segment = timer.sweeps_between_checks();
    for (std::int64_t sweep = 0; sweep < plan_.num_sweeps; sweep += segment) {
      timer.count(segment);
      const std::int64_t num_sweeps = std::min(segment, plan_.num_sweeps - sweep);
      kernel.anneal(chain, slopes_.data() + sweep, num_sweeps, sweep == 0);
    }

    if (plan_.descend) kernel.descend(chain, false);
    write_spins(chain, spins);
  }

 private:
  const Problem<Real>& problem_;
  const AnnealingPlan& plan_;
  Chains chains_;
  std::vector<float> slopes_;
};

}  // namespace

template <class Real>
void anneal(const Problem<Real>& problem, const AnnealingPlan& plan, std::int8_t* spins,
            double* energies, Interrupt& interrupt) {
  const CouplingGrid grid(problem.couplings, problem.num_hidden, problem.num_output,
                          largest_field(problem));
  run_reads(problem, plan.reads, grid, spins, energies, interrupt,
            [&] { return std::make_unique<Annealer<Real>>(problem, plan, grid); });
}

template void anneal(const Problem<float>&, const AnnealingPlan&, std::int8_t*, double*,
                     Interrupt&);
template void anneal(const Problem<double>&, const AnnealingPlan&, std::int8_t*, double*,
                     Interrupt&);

}  // namespace isingprop
