/// Simulated annealing of many problems under one set of couplings.
#pragma once

#include <cstdint>

#include "chains/problem.h"

namespace isingprop {

/// Whether a zero-temperature descent ends each read. Where the last beta is less than kColdBeta
/// relative to the problem, states may be wanted as samples of a distribution.
enum class Descent { kNever, kAlways, kWhereCold };

/// At this relative beta a typical spin is against its field once in e^8 = 3,000 times.
inline constexpr double kColdBeta = 4.0;

struct AnnealingPlan {
  const double* betas;      ///< inverse temperature of each sweep
  std::int64_t num_sweeps;  ///< at least 1
  bool relative;            ///< whether betas are relative to each problem, see local_scales.h
  Descent descent;
  Reads reads;
};

/// The arrays that the results are written to.
struct AnnealingResult {
  std::int8_t* spins;  ///< (num_problems, num_reads, num_hidden + num_output)
  double* energies;    ///< (num_problems, num_reads)
  double* betas;       ///< (num_problems, 2): the first and the last beta in 1 / (unit of J)
};

/// Throws std::invalid_argument for couplings or fields that are not finite, and Interrupted when
/// the user wants to stop.
template <class Real>
void anneal(const Problem<Real>& problem, const AnnealingPlan& plan, const AnnealingResult& result,
            Interrupt& interrupt);

/// Writes relative inverse temperatures in 1 / (unit of J) for each problem, (num_problems, count).
/// Throws like anneal().
template <class Real>
void absolute_betas(const Problem<Real>& problem, const double* relative, std::int64_t count,
                    double* betas);

}  // namespace isingprop
