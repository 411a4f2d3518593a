/// Replicas of one problem that swap their temperatures, whatever the replicas are.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/metropolis/metropolis_rule.h"
#include "kernels/metropolis/random_stream.h"
#include "samplers/ladder.h"

namespace isingprop {

/// What a tempering run does; see tempering.h.
struct ExchangePlan {
  const double* betas;  ///< the ladder
  std::int64_t num_betas, num_sweeps, target;
  bool adaptive;

  bool wants_lowest() const { return target < 0; }
};

/// Runs the replicas of one read after another. `Replicas` has four functions:
///
///     slope(beta)                               returns the slope of an inverse temperature
///     sweep(replicas, slopes, begins, energies) sweeps replica replicas[k] at slopes[k] and
///                                               writes its energy, for each rung k
///     keep(replica)                             keeps its state, the lowest so far
///     in_users_unit(beta)                       returns a beta in 1 / (unit of J)
template <class Replicas>
class Exchange {
 public:
  Exchange(const ExchangePlan& plan, Replicas& replicas)
      : plan_(plan),
        replicas_(replicas),
        ladder_(plan.num_betas, plan.target),
        slopes_(ladder_.betas().size()),
        energies_(slopes_.size()),
        rungs_(slopes_.size()) {}

  /// Runs one read. The swaps use stream 0 of `key`.
  void run(std::uint64_t key) {
    begin(fold(key, 0));
    const std::int64_t burn_in = plan_.adaptive ? plan_.num_sweeps / 2 : 0;
    for (std::int64_t sweep = 0; sweep < plan_.num_sweeps; ++sweep) {
      replicas_.sweep(rungs_, slopes_, sweep == 0, energies_);
      if (plan_.wants_lowest()) keep_lowest();
      if (sweep < burn_in && ladder_.adapt(slopes_, energies_)) find_slopes();
      if (sweep == burn_in) ladder_.forget_counts();
      swap_neighbours(sweep % 2);
    }
  }

  /// Returns the replica on the target rung.
  std::int64_t at_target() const { return rungs_[static_cast<std::size_t>(plan_.target)]; }

  /// Writes the ladder in 1 / (unit of J), the accepted fraction of swaps and the round trips.
  void write(double* betas, double* acceptance, std::int64_t* round_trips) {
    for (const double beta : ladder_.betas()) *betas++ = replicas_.in_users_unit(beta);
    ladder_.write_acceptance(acceptance);
    *round_trips = ladder_.round_trips();
  }

 private:
  void begin(std::uint64_t random) {
    random_ = random;
    for (std::size_t k = 0; k < rungs_.size(); ++k) rungs_[k] = static_cast<std::int64_t>(k);
    ladder_.begin(plan_.betas);
    find_slopes();
    lowest_energy_ = std::numeric_limits<double>::infinity();
  }

  void find_slopes() {
    for (std::size_t k = 0; k < slopes_.size(); ++k) {
      slopes_[k] = replicas_.slope(ladder_.betas()[k]);
    }
  }

  void keep_lowest() {
    std::size_t best = 0;
    for (std::size_t k = 1; k < energies_.size(); ++k) {
      best = energies_[k] < energies_[best] ? k : best;
    }
    if (!(energies_[best] < lowest_energy_)) return;
    lowest_energy_ = energies_[best];
    replicas_.keep(rungs_[best]);
  }

  /// Tries to swap rungs (parity, parity + 1), (parity + 2, parity + 3) and so on.
  void swap_neighbours(std::int64_t parity) {
    for (auto k = static_cast<std::size_t>(parity); k + 1 < slopes_.size(); k += 2) {
      const auto random = static_cast<std::uint32_t>(mix(random_ += kGoldenGamma) >> 32);
      const bool swaps = accepts(random, Ladder::log2_ratio(slopes_, energies_, k));
      if (swaps) std::swap(rungs_[k], rungs_[k + 1]);
      ladder_.count(k, swaps);
    }
    ladder_.visit(rungs_.front(), rungs_.back());
  }

  const ExchangePlan plan_;
  Replicas& replicas_;
  Ladder ladder_;
  std::vector<float> slopes_;        ///< of each rung
  std::vector<double> energies_;     ///< of the replica on each rung, in the unit of the slopes
  std::vector<std::int64_t> rungs_;  ///< the replica on each rung
  std::uint64_t random_ = 0;         ///< SplitMix64 state of the swaps
  double lowest_energy_ = 0.0;
};

}  // namespace isingprop
