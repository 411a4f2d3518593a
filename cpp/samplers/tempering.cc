#include "samplers/tempering.h"

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "chains/chains.h"
#include "chains/run_reads.h"
#include "kernels/metropolis/metropolis_rule.h"
#include "kernels/metropolis/random_stream.h"
#include "samplers/ladder.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// log2 of the smallest part of an energy that a swap still sees: 2^52 is the precision of a
/// double, and a swap is to be right to 2^-12.
constexpr double kLeastGain = -40.0;

/// Runs the replicas of one read after another on one thread.
template <class Real>
class Temperer {
 public:
  Temperer(const Problem<Real>& problem, const TemperingPlan& plan, const CouplingGrid& grid,
           const TemperingResult& result)
      : problem_(problem),
        plan_(plan),
        result_(result),
        chains_(grid, plan.num_betas + 1,
                {.relative = plan.relative, .largest = plan.betas[plan.num_betas - 1]}),
        ladder_(plan.num_betas, plan.target),
        slopes_(ladder_.betas().size()),
        energies_(slopes_.size()),
        replicas_(slopes_.size()) {}

  void load(std::int64_t b) {
    chains_.load_fields(problem_, b);
    if (plan_.target >= 0 && plan_.num_betas > 1 && chains_.log2_least_gain() < kLeastGain) {
      throw std::invalid_argument(
          "target_beta needs local fields within a factor of 1e12 of each other; Annealing at a "
          "constant beta does not");
    }
  }

  void run(std::int64_t b, std::int64_t read, std::int8_t* spins, Interrupt& interrupt,
           bool may_poll) {
    begin(b, read);
    const bool wants_lowest = plan_.target < 0;
    InterruptTimer timer(chains_[0], interrupt, may_poll);
    const std::int64_t burn_in = plan_.adaptive ? plan_.num_sweeps / 2 : 0;
    for (std::int64_t sweep = 0; sweep < plan_.num_sweeps; ++sweep) {
      sweep_replicas(sweep == 0, timer);
      if (wants_lowest) keep_lowest();
      if (sweep < burn_in && ladder_.adapt(slopes_, energies_)) find_slopes();
      if (sweep == burn_in) ladder_.forget_counts();
      swap_neighbours(sweep % 2);
    }

    if (wants_lowest) {
      chains_.descend(problem_, b, plan_.num_betas, false, spins);
    } else {
      write_spins(chain_at(plan_.target), spins);
    }
    write_ladder(b * plan_.reads.num_reads + read);
  }

 private:
  const Chain& chain_at(std::size_t rung) const { return chains_[replicas_[rung]]; }
  const Chain& chain_at(std::int64_t rung) const {
    return chain_at(static_cast<std::size_t>(rung));
  }

  /// Replica k uses stream k + 1 of the read, and the swaps use stream 0.
  void begin(std::int64_t b, std::int64_t read) {
    const Reads& reads = plan_.reads;
    const auto read_number = static_cast<std::uint64_t>(read);
    const std::uint64_t key = stream_key(reads.seed, reads.streams[b], read_number);
    random_ = fold(key, 0);
    for (std::size_t k = 0; k < replicas_.size(); ++k) {
      replicas_[k] = static_cast<std::int64_t>(k);
      seed_generator(fold(key, k + 1), chain_at(k).generator);
      start(reads.initial_of(b, read), chain_at(k));
    }

    ladder_.begin(plan_.betas);
    find_slopes();
    lowest_energy_ = std::numeric_limits<double>::infinity();
  }

  void find_slopes() {
    for (std::size_t k = 0; k < slopes_.size(); ++k) {
      slopes_[k] = chains_.slope(ladder_.betas()[k]);
    }
  }

  void sweep_replicas(bool begins, InterruptTimer& timer) {
    const KernelTable& kernel = kernels();
    for (std::size_t k = 0; k < slopes_.size(); ++k) {
      timer.count(1);
      kernel.anneal(chain_at(k), &slopes_[k], 1, begins);
      energies_[k] = kernel.chain_energy(chain_at(k));
    }
  }

  void keep_lowest() {
    std::size_t best = 0;
    for (std::size_t k = 1; k < energies_.size(); ++k) {
      best = energies_[k] < energies_[best] ? k : best;
    }
    if (!(energies_[best] < lowest_energy_)) return;
    lowest_energy_ = energies_[best];
    chains_.copy(replicas_[best], plan_.num_betas);
  }

  /// Tries to swap rungs (parity, parity + 1), (parity + 2, parity + 3) and so on.
  void swap_neighbours(std::int64_t parity) {
    for (auto k = static_cast<std::size_t>(parity); k + 1 < slopes_.size(); k += 2) {
      const auto random = static_cast<std::uint32_t>(mix(random_ += kGoldenGamma) >> 32);
      const bool swaps = accepts(random, Ladder::log2_ratio(slopes_, energies_, k));
      if (swaps) std::swap(replicas_[k], replicas_[k + 1]);
      ladder_.count(k, swaps);
    }
    ladder_.visit(replicas_.front(), replicas_.back());
  }

  void write_ladder(std::int64_t row) {
    const auto rungs = static_cast<std::int64_t>(slopes_.size());
    for (std::int64_t k = 0; k < rungs; ++k) {
      result_.betas[row * rungs + k] =
          chains_.in_users_unit(ladder_.betas()[static_cast<std::size_t>(k)]);
    }
    ladder_.write_acceptance(result_.swap_acceptance + row * (rungs - 1));
    result_.round_trips[row] = ladder_.round_trips();
  }

  const Problem<Real>& problem_;
  const TemperingPlan& plan_;
  const TemperingResult& result_;
  Chains chains_;  ///< the replicas, and after them the lowest state so far
  Ladder ladder_;
  std::vector<float> slopes_;           ///< of each rung
  std::vector<double> energies_;        ///< of the replica on each rung, in the chains' units
  std::vector<std::int64_t> replicas_;  ///< the chain on each rung
  std::uint64_t random_ = 0;            ///< SplitMix64 state of the swaps
  double lowest_energy_ = 0.0;
};

}  // namespace

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
