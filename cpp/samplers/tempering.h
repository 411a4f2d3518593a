/// Parallel tempering of many fields under one set of couplings.
///
/// Hukushima & Nemoto 1996, doi:10.1143/JPSJ.65.1604. K replicas of one problem are sampled at K
/// inverse temperatures, the rungs of a ladder. After each sweep neighbours swap their temperatures
/// with probability
///
///     min(1, exp((beta_k - beta_l) (E_k - E_l)))       (times kMove, see kernels/rule.h),
///
/// even pairs and odd pairs in turn, which carries replicas along the ladder fastest (Syed,
/// Bouchard-Cote, Deligiannidis & Doucet 2022, doi:10.1111/rssb.12464). An adaptive ladder is moved
/// during the first half of the sweeps, as they advise: so that between its ends every gap has the
/// same mean rejection, which a swap that is never tried tells too. From then on it is frozen, and
/// the replicas on a rung are distributed as the rung's temperature has it.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

struct TemperingPlan {
  const double* betas;      ///< the ladder, rising, each above 0 where there are two or more
  std::int64_t num_betas;   ///< K >= 1
  std::int64_t num_sweeps;  ///< of each replica, at least 1
  std::int64_t target;  ///< the rung whose last state is wanted, or -1: the lowest state of any,
                        ///< after a descent
  bool
      relative;  ///< betas are multiples of 1 / (rms local field of a random state) of each problem
  bool adaptive;
  Reads reads;
};

/// Where the results go: one row of each for each read of each problem.
struct TemperingResult {
  std::int8_t* spins;
  double* energies;
  double* betas;            ///< K: the ladder, in 1 / (unit of J)
  double* swap_acceptance;  ///< K - 1: the fraction of swaps tried that were done, NaN where none
                            ///< was tried
  std::int64_t*
      round_trips;  ///< 1: how often a replica came back to the first rung from the last one
};

/// Throws std::invalid_argument for couplings or fields that are not finite, Interrupted where the
/// user wants to stop.
template <class Real>
void temper(const Problem<Real>& problem, const TemperingPlan& plan, const TemperingResult& result,
            Interrupt& interrupt);

}  // namespace isingprop
