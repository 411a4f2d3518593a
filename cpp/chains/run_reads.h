/// The loop over the reads of all problems, shared by all samplers and by all threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "chains/coupling_grid.h"
#include "chains/problem.h"
#include "util/pool.h"

namespace isingprop {

/// Pieces of reads that each thread gets on average: enough that threads finish together.
inline constexpr std::int64_t kPiecesPerThread = 5;
inline constexpr std::int64_t kLargestPiece = 32;

/// Samples every read and fills spins (num_problems, num_reads, num_spins) and energies
/// (num_problems, num_reads).
///
/// make() returns a std::unique_ptr to a worker, one for each thread. A worker has two functions:
///
///     load(b)                                       called before the first read of problem b
///     run(b, read, spins, interrupt, may_poll)      samples one read into its row of spins
///
/// Reads are numbered problem by problem. A piece of reads [first, last) can cover several
/// problems:
///
///     num_reads = 3, piece [2, 7):   load(0) run(0, 2)   load(1) run(1, 0..2)   load(2) run(2, 0)
template <class Real, class Make>
void run_reads(const Problem<Real>& problem, const Reads& reads, const CouplingGrid& grid,
               std::int8_t* spins, double* energies, Interrupt& interrupt, const Make& make) {
  const std::int64_t count = problem.num_problems * reads.num_reads;
  const std::int64_t num_spins = problem.num_spins();
  const std::int64_t share =
      reads.num_threads == 1 ? count : count / (reads.num_threads * kPiecesPerThread);
  const std::int64_t piece = std::clamp<std::int64_t>(share, 1, kLargestPiece);

  struct Thread {
    decltype(make()) worker;
    std::int64_t loaded = -1;  ///< the problem whose fields the worker holds
  };
  std::vector<Thread> threads(static_cast<std::size_t>(reads.num_threads));

  const auto body = [&](int thread, std::int64_t first, std::int64_t last) {
    auto& [worker, loaded] = threads[static_cast<std::size_t>(thread)];
    if (!worker) worker = make();
    while (first < last) {
      const std::int64_t b = first / reads.num_reads;
      const std::int64_t end = std::min(last, (b + 1) * reads.num_reads);
      if (loaded != b) worker->load(b);
      loaded = b;

      for (std::int64_t k = first; k < end; ++k) {
        worker->run(b, k % reads.num_reads, spins + k * num_spins, interrupt, thread == 0);
      }
      problem.energies_of(b, spins + first * num_spins, end - first, energies + first,
                          grid.hidden_spans());
      first = end;
    }
  };
  parallel_for(reads.num_threads, count, piece, interrupt, body);
}

}  // namespace isingprop
