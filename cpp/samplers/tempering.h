/// Parallel tempering of many problems under one set of couplings.
///
/// K replicas of one problem are sampled at K inverse temperatures, the rungs of a ladder
/// (Hukushima & Nemoto 1996, doi:10.1143/JPSJ.65.1604). After each sweep, neighbours swap their
/// temperatures with probability
///
///     min(1, exp((beta_k - beta_l) (E_k - E_l)))       (times kMove, see metropolis_rule.h).
///
/// Even pairs and odd pairs alternate, which carries replicas along the ladder fastest (Syed,
/// Bouchard-Cote, Deligiannidis & Doucet 2022, doi:10.1111/rssb.12464). With four rungs:
///
///     sweep 0: pairs (0,1) (2,3)     sweep 1: pair (1,2)     sweep 2: pairs (0,1) (2,3)
///
/// An adaptive ladder moves during the first half of the sweeps, as they advise, so that every gap
/// between its ends has the same mean rejection. The mean is over the probabilities of rejection of
/// all neighbours in all sweeps, whether a swap was tried or not. From then on it is fixed, and the
/// replicas on a rung follow the distribution of its temperature.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

struct TemperingPlan {
  const double* betas;      ///< the ladder, ascending; each above 0 if there are two or more
  std::int64_t num_betas;   ///< K >= 1
  std::int64_t num_sweeps;  ///< of each replica, at least 1
  /// The rung whose last state is returned, or -1 for the lowest state of any replica, after a
  /// descent.
  std::int64_t target;
  bool relative;  ///< whether betas are relative to each problem, see local_scales.h
  bool adaptive;
  Reads reads;
};

/// The arrays that the results are written to, with one row for each read of each problem.
struct TemperingResult {
  std::int8_t* spins;         ///< num_hidden + num_output
  double* energies;           ///< 1
  double* betas;              ///< K: the ladder, in 1 / (unit of J)
  double* swap_acceptance;    ///< K - 1: the accepted fraction of swaps, NaN where none was tried
  std::int64_t* round_trips;  ///< 1: how often a replica returned to the first rung from the last
};

/// Throws std::invalid_argument where samples at one temperature are wanted and the smallest gain
/// of a spin, here its log2, is so small that swaps would not see its energy.
void check_target_is_seen(std::int64_t target, std::int64_t num_betas, double log2_least_gain);

/// Throws std::invalid_argument for couplings or fields that are not finite, and Interrupted when
/// the user wants to stop.
template <class Real>
void temper(const Problem<Real>& problem, const TemperingPlan& plan, const TemperingResult& result,
            Interrupt& interrupt);

}  // namespace isingprop
