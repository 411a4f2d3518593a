#include "samplers/annealing.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "chains/chains.h"
#include "chains/run_reads.h"
#include "kernels/metropolis/random_stream.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Anneals one read after the other on one thread.
template <class Real>
class Annealer {
 public:
  Annealer(const Problem<Real>& problem, const AnnealingPlan& plan, const CouplingGrid& grid,
           double* betas)
      : problem_(problem),
        plan_(plan),
        betas_(betas),
        chains_(grid, 1, {.relative = plan.relative, .largest = largest_of(plan)}),
        slopes_(static_cast<std::size_t>(plan.num_sweeps)) {}

  void load(std::int64_t b) {
    if (!chains_.load_fields(problem_, b)) return;
    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      slopes_[t] = chains_.slope(plan_.betas[t]);
    }
    descends_ =
        plan_.descent == Descent::kAlways || (plan_.descent == Descent::kWhereCold && ends_cold());
  }

  void run(std::int64_t b, std::int64_t read, std::int8_t* spins, Interrupt& interrupt,
           bool may_poll) {
    const Chain& chain = chains_[0];
    const KernelTable& kernel = kernels();
    const Reads& reads = plan_.reads;
    if (read == 0) write_betas(b);
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

    if (descends_) {
      chains_.descend(problem_, b, 0, false, spins);
    } else {
      write_spins(chain, spins);
    }
  }

 private:
  static double largest_of(const AnnealingPlan& plan) {
    return *std::max_element(plan.betas, plan.betas + plan.num_sweeps);
  }

  bool ends_cold() {
    const double last = plan_.betas[plan_.num_sweeps - 1];
    return last >= (plan_.relative ? kColdBeta : chains_.absolute(kColdBeta));
  }

  void write_betas(std::int64_t b) {
    betas_[2 * b] = chains_.in_users_unit(plan_.betas[0]);
    betas_[2 * b + 1] = chains_.in_users_unit(plan_.betas[plan_.num_sweeps - 1]);
  }

  const Problem<Real>& problem_;
  const AnnealingPlan& plan_;
  double* betas_;  ///< of AnnealingResult
  Chains chains_;
  std::vector<float> slopes_;
  bool descends_ = false;  ///< whether reads of the problem that is loaded end in a descent
};

}  // namespace

template <class Real>
void anneal(const Problem<Real>& problem, const AnnealingPlan& plan, const AnnealingResult& result,
            Interrupt& interrupt) {
  const CouplingGrid grid(problem);
  run_reads(problem, plan.reads, grid, result.spins, result.energies, interrupt,
            [&] { return std::make_unique<Annealer<Real>>(problem, plan, grid, result.betas); });
}

template <class Real>
void absolute_betas(const Problem<Real>& problem, const double* relative, std::int64_t count,
                    double* betas) {
  const CouplingGrid grid(problem);
  Chains chains(grid, 1, {.relative = false, .largest = 0.0});
  for (std::int64_t b = 0; b < problem.num_problems; ++b) {
    chains.load_fields(problem, b);
    for (std::int64_t k = 0; k < count; ++k) betas[b * count + k] = chains.absolute(relative[k]);
  }
}

template void absolute_betas(const Problem<float>&, const double*, std::int64_t, double*);
template void absolute_betas(const Problem<double>&, const double*, std::int64_t, double*);
template void anneal(const Problem<float>&, const AnnealingPlan&, const AnnealingResult&,
                     Interrupt&);
template void anneal(const Problem<double>&, const AnnealingPlan&, const AnnealingResult&,
                     Interrupt&);

}  // namespace isingprop
