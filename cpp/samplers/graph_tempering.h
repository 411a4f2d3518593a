/// Parallel tempering of a problem on any graph; see tempering.h.
///
/// The replicas of a read are the lanes of blocks (kernels/graph/sweep_reads.cc), or on a dense
/// graph single reads (kernels/graph/sweep_one.cc). Replica k uses stream k + 1 of the read.
#pragma once

#include <cstdint>

#include "graphs/graph_problem.h"
#include "util/interrupt.h"

namespace isingprop {

struct GraphTemperingPlan {
  const double* betas;  ///< the ladder, ascending; each above 0 if there are two or more
  std::int64_t num_betas, num_sweeps, target;
  bool relative, adaptive;
  GraphReads reads;
};

/// The arrays that the results are written to, with one row for each read; see TemperingResult.
struct GraphTemperingResult {
  std::int8_t* spins;
  double *energies, *betas, *swap_acceptance;
  std::int64_t* round_trips;
};

/// Throws std::invalid_argument for numbers that are not finite, and Interrupted when the user
/// wants to stop.
void temper_graph(const GraphProblem& problem, const GraphTemperingPlan& plan,
                  const GraphTemperingResult& result, Interrupt& interrupt);

}  // namespace isingprop
