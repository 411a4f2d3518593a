#include "samplers/descent.h"

#include <memory>

#include "chains/chains.h"
#include "chains/run_reads.h"
#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Descends from one start state after the other on one thread.
template <class Real>
class Descender {
 public:
  Descender(const Problem<Real>& problem, const Reads& reads, const CouplingGrid& grid)
      : problem_(problem), reads_(reads), chains_(grid, 1, {.relative = false, .largest = 0.0}) {}

  void load(std::int64_t b) { chains_.load_fields(problem_, b); }

  void run(std::int64_t b, std::int64_t read, std::int8_t* spins, Interrupt& interrupt,
           bool may_poll) {
    interrupt.check(may_poll);
    read_spins(reads_.initial_of(b, read), chains_[0]);
    chains_.descend(problem_, b, 0, true, spins);
  }

 private:
  const Problem<Real>& problem_;
  const Reads& reads_;
  Chains chains_;
};

}  // namespace

template <class Real>
void descend(const Problem<Real>& problem, const Reads& reads, std::int8_t* spins, double* energies,
             Interrupt& interrupt) {
  const CouplingGrid grid(problem);
  run_reads(problem, reads, grid, spins, energies, interrupt,
            [&] { return std::make_unique<Descender<Real>>(problem, reads, grid); });
}

template void descend(const Problem<float>&, const Reads&, std::int8_t*, double*, Interrupt&);
template void descend(const Problem<double>&, const Reads&, std::int8_t*, double*, Interrupt&);

}  // namespace isingprop
