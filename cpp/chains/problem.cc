#include "chains/problem.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

constexpr double kLargestField = 1e300;

template <class Real>
double largest_of(const Real* fields, std::int64_t count) {
  double largest = 0.0;
  bool good = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const double size = std::abs(static_cast<double>(fields[i]));
    good &= size <= kLargestField;
    largest = std::max(largest, size);
  }
  if (!good) throw std::invalid_argument("fields must be finite and at most 1e300");
  return largest;
}

}  // namespace

template <class Real>
double Problem<Real>::largest_field() const {
  const std::int64_t output_rows = one_output_row ? 1 : num_problems;
  return std::max(largest_of(hidden_fields, num_problems * num_hidden),
                  largest_of(output_fields, output_rows * num_output));
}

template <class Real>
void Problem<Real>::energies_of(std::int64_t b, const std::int8_t* spins, std::int64_t num_states,
                                double* energies, const RowSpan* spans) const {
  kernels().of<Real>().energies({.couplings = couplings,
                                 .hidden_fields = hidden_of(b),
                                 .output_fields = output_of(b),
                                 .num_hidden = num_hidden,
                                 .num_output = num_output,
                                 .spins = spins,
                                 .num_states = num_states,
                                 .energies = energies,
                                 .spans = spans});
}

template <class Real>
void energies(const Problem<Real>& problem, const std::int8_t* spins, std::int64_t num_reads,
              double* energies, Interrupt& interrupt) {
  const std::int64_t work_per_state = problem.num_hidden * problem.num_output;
  const std::int64_t piece = std::max<std::int64_t>(1, kWorkPerPoll / work_per_state);
  for (std::int64_t b = 0; b < problem.num_problems; ++b) {
    for (std::int64_t read = 0; read < num_reads; read += piece) {
      interrupt.check(true);
      const std::int64_t state = b * num_reads + read;
      const std::int64_t count = std::min(piece, num_reads - read);
      problem.energies_of(b, spins + state * problem.num_spins(), count, energies + state);
    }
  }
}

template struct Problem<float>;
template struct Problem<double>;
template void energies(const Problem<float>&, const std::int8_t*, std::int64_t, double*,
                       Interrupt&);
template void energies(const Problem<double>&, const std::int8_t*, std::int64_t, double*,
                       Interrupt&);

}  // namespace isingprop
