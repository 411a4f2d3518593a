/// A batch and a plan of parallel tempering for it.
#pragma once

#include <cmath>
#include <vector>

#include "samplers/tempering.h"
#include "support/batch.h"

namespace isingprop::test {

struct TemperingOutcome {
  std::vector<std::int8_t> spins;
  std::vector<double> energies, betas, acceptance;
  std::vector<std::int64_t> round_trips;

  /// Compares bits, so that an acceptance of NaN equals NaN.
  bool operator==(const TemperingOutcome& other) const {
    return spins == other.spins && same_bits(energies, other.energies) &&
           same_bits(betas, other.betas) && same_bits(acceptance, other.acceptance) &&
           round_trips == other.round_trips;
  }
};

template <class Real>
class TemperingTask : public Batch<Real> {
 public:
  std::vector<double> betas;
  TemperingPlan plan;

  template <class... Arguments>
  explicit TemperingTask(Arguments... arguments) : Batch<Real>(arguments...) {
    plan = {.betas = nullptr,
            .num_betas = 0,
            .num_sweeps = 100,
            .target = -1,
            .relative = true,
            .adaptive = true,
            .reads = this->reads};
    rise(7);
  }

  /// Sets a ladder of num_betas rungs, each 1.375 times the one before: exact on every machine.
  void rise(std::int64_t num_betas) {
    betas = {0.5};
    while (static_cast<std::int64_t>(betas.size()) < num_betas)
      betas.push_back(betas.back() * 1.375);
    plan.betas = betas.data();
    plan.num_betas = num_betas;
  }

  TemperingOutcome run() const {
    Interrupt interrupt = never();
    return run(interrupt);
  }
  TemperingOutcome run(Interrupt& interrupt) const {
    TemperingPlan asked = plan;
    asked.reads = this->reads;
    const auto chains = static_cast<std::size_t>(this->num_chains());
    const auto rungs = static_cast<std::size_t>(plan.num_betas);
    TemperingOutcome result{.spins = std::vector<std::int8_t>(chains * size(this->num_spins())),
                            .energies = std::vector<double>(chains),
                            .betas = std::vector<double>(chains * rungs),
                            .acceptance = std::vector<double>(chains * (rungs - 1)),
                            .round_trips = std::vector<std::int64_t>(chains)};
    const TemperingResult to{.spins = result.spins.data(),
                             .energies = result.energies.data(),
                             .betas = result.betas.data(),
                             .swap_acceptance = result.acceptance.data(),
                             .round_trips = result.round_trips.data()};
    temper(this->problem, asked, to, interrupt);
    return result;
  }
};

}  // namespace isingprop::test
