#include "samplers/tempering.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include "chains/chains.h"
#include "chains/run_reads.h"
#include "samplers/exchange.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// The chains of one read.
template <class Real>
class ChainReplicas {
 public:
  ChainReplicas(const CouplingGrid& grid, const TemperingPlan& plan)
      : chains_(grid, plan.num_betas + 1,
                {.relative = plan.relative, .largest = plan.betas[plan.num_betas - 1]}),
        lowest_(plan.num_betas) {}

  Chains& chains() { return chains_; }
  std::int64_t lowest() const { return lowest_; }
  void set_timer(InterruptTimer& timer) { timer_ = &timer; }

  float slope(double beta) const { return chains_.slope(beta); }
  double in_users_unit(double beta) { return chains_.in_users_unit(beta); }
  void keep(std::int64_t replica) { chains_.copy(replica, lowest_); }

  void sweep(const std::vector<std::int64_t>& replicas, const std::vector<float>& slopes,
             bool begins, std::vector<double>& energies) {
    const KernelTable& kernel = kernels();
    for (std::size_t k = 0; k < slopes.size(); ++k) {
      timer_->count(1);
      const Chain& chain = chains_[replicas[k]];
      kernel.anneal(chain, &slopes[k], 1, begins);
      energies[k] = kernel.chain_energy(chain);
    }
  }

 private:
  Chains chains_;        ///< the replicas, and after them the lowest state so far
  std::int64_t lowest_;  ///< the number of that
  InterruptTimer* timer_ = nullptr;
};

/// Runs the replicas of one read after another on one thread.
template <class Real>
class Temperer {
 public:
  Temperer(const Problem<Real>& problem, const TemperingPlan& plan, const CouplingGrid& grid,
           const TemperingResult& result)
      : problem_(problem),
        plan_(plan),
        result_(result),
        replicas_(grid, plan),
        exchange_({.betas = plan.betas,
                   .num_betas = plan.num_betas,
                   .num_sweeps = plan.num_sweeps,
                   .target = plan.target,
                   .adaptive = plan.adaptive},
                  replicas_) {}

  void load(std::int64_t b) {
    replicas_.chains().load_fields(problem_, b);
    check_target_is_seen(plan_.target, plan_.num_betas, replicas_.chains().log2_least_gain());
  }

  void run(std::int64_t b, std::int64_t read, std::int8_t* spins, Interrupt& interrupt,
           bool may_poll) {
    const Reads& reads = plan_.reads;
    const Chains& chains = replicas_.chains();
    const auto read_number = static_cast<std::uint64_t>(read);
    const std::uint64_t key = stream_key(reads.seed, reads.streams[b], read_number);
    for (std::int64_t k = 0; k < plan_.num_betas; ++k) {
      seed_generator(fold(key, static_cast<std::uint64_t>(k) + 1), chains[k].generator);
      start(reads.initial_of(b, read), chains[k]);
    }

    InterruptTimer timer(chains[0], interrupt, may_poll);
    replicas_.set_timer(timer);
    exchange_.run(key);
    if (plan_.target < 0) {
      chains.descend(problem_, b, replicas_.lowest(), false, spins);
    } else {
      write_spins(chains[exchange_.at_target()], spins);
    }

    const std::int64_t row = b * reads.num_reads + read, gaps = plan_.num_betas - 1;
    exchange_.write(result_.betas + row * plan_.num_betas, result_.swap_acceptance + row * gaps,
                    result_.round_trips + row);
  }

 private:
  const Problem<Real>& problem_;
  const TemperingPlan& plan_;
  const TemperingResult& result_;
  ChainReplicas<Real> replicas_;
  Exchange<ChainReplicas<Real>> exchange_;
};

}  // namespace

void check_target_is_seen(std::int64_t target, std::int64_t num_betas, double log2_least_gain) {
  // log2 of the smallest part of an energy that a swap still sees: 2^52 is the precision of a
  // double, and a swap is to be right to 2^-12.
  constexpr double kLeastGain = -40.0;
  if (target < 0 || num_betas == 1 || log2_least_gain >= kLeastGain) return;
  throw std::invalid_argument(
      "target_beta needs local fields within a factor of 1e12 of each other; Annealing at a "
      "constant beta does not");
}

template <class Real>
void temper(const Problem<Real>& problem, const TemperingPlan& plan, const TemperingResult& result,
            Interrupt& interrupt) {
  const CouplingGrid grid(problem);
  run_reads(problem, plan.reads, grid, result.spins, result.energies, interrupt,
            [&] { return std::make_unique<Temperer<Real>>(problem, plan, grid, result); });
}

template void temper(const Problem<float>&, const TemperingPlan&, const TemperingResult&,
                     Interrupt&);
template void temper(const Problem<double>&, const TemperingPlan&, const TemperingResult&,
                     Interrupt&);

}  // namespace isingprop
