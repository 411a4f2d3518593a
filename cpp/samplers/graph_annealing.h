/// Simulated annealing of a problem on any graph.
///
/// The spins are updated one after the other, in the order of graphs/sweep_order.h. Reads are
/// annealed in blocks of up to 64 (kernels/graph/sweep_reads.cc), or singly where they are few or
/// the graph is dense (kernels/graph/sweep_one.cc): the states are the same.
#pragma once

#include <cstdint>

#include "graphs/graph_problem.h"
#include "samplers/annealing.h"

namespace isingprop {

struct GraphAnnealingPlan {
  const double* betas;      ///< inverse temperature of each sweep, >= 0 or infinite
  std::int64_t num_sweeps;  ///< at least 0; without sweeps a start state is returned or descended
  bool relative;            ///< whether betas are relative to the problem, see local_scales.h
  Descent descent;
  GraphReads reads;
};

/// The arrays that the results are written to.
struct GraphAnnealingResult {
  std::int8_t* spins;  ///< (count, num_spins)
  double* energies;    ///< (count,)
  double* range;       ///< (2,): the first and the last beta in 1 / (unit of J), NaN without sweeps
};

/// Throws std::invalid_argument for numbers that are not finite, and Interrupted when the user
/// wants to stop.
void anneal_graph(const GraphProblem& problem, const GraphAnnealingPlan& plan,
                  const GraphAnnealingResult& result, Interrupt& interrupt);

/// Writes relative inverse temperatures in 1 / (unit of J). Throws like anneal_graph().
void absolute_graph_betas(const GraphProblem& problem, const double* relative, std::int64_t count,
                          double* betas);

}  // namespace isingprop
