/// Checks of the arguments that all samplers share.
#pragma once

#include <cmath>
#include <optional>

#include "bindings/arrays.h"
#include "chains/problem.h"

namespace isingprop {

/// Checks the arrays of B problems: couplings (H, O), hidden_fields (B, H) and output_fields (B, O)
/// or (1, O). The kernels check that the numbers are finite.
template <class Real>
Problem<Real> check_problem(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                            const Array<Real>& output_fields) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  const py::ssize_t num_hidden = couplings.shape(0), num_output = couplings.shape(1);
  check_shape("hidden_fields", hidden_fields, {kAnyLength, num_hidden});
  const bool one_row = output_fields.ndim() == 2 && output_fields.shape(0) == 1;
  const py::ssize_t rows = hidden_fields.shape(0);
  check_shape("output_fields", output_fields, {one_row ? 1 : rows, num_output});
  return {.couplings = couplings.data(),
          .hidden_fields = hidden_fields.data(),
          .output_fields = output_fields.data(),
          .num_problems = rows,
          .num_hidden = num_hidden,
          .num_output = num_output,
          .one_output_row = one_row};
}

inline void check_numbers(const char* name, const Array<double>& numbers) {
  check_shape(name, numbers, {kAnyLength});
  for (const double* x = numbers.data(); x < numbers.data() + numbers.size(); ++x) {
    if (*x >= 0.0 && std::isfinite(*x)) continue;
    throw py::value_error(std::string(name) + " must be finite and not negative, got " +
                          std::to_string(*x));
  }
}

/// Makes the start states `initial` those of the reads. They have shape (B, num_reads, H + O),
/// where a length of 1 in place of B or num_reads repeats the same states. num_reads can be
/// kAnyLength.
template <class Real>
void set_initial(const Problem<Real>& problem, const Array<std::int8_t>& initial,
                 std::int64_t num_reads, Reads& reads) {
  const bool one_problem = initial.ndim() == 3 && initial.shape(0) == 1;
  const bool one_read = initial.ndim() == 3 && initial.shape(1) == 1;
  const std::int64_t num_spins = problem.num_spins();
  check_shape("initial", initial,
              {one_problem ? 1 : problem.num_problems, one_read ? 1 : num_reads, num_spins});
  check_spins("initial", initial);

  reads.initial = initial.data();
  reads.initial_read_stride = one_read ? 0 : num_spins;
  reads.initial_problem_stride = one_problem ? 0 : initial.shape(1) * num_spins;
}

using Initial = std::optional<Array<std::int8_t>>;

/// Checks the arguments that say how often each problem is sampled, and from what.
template <class Real>
Reads check_reads(const Problem<Real>& problem, std::int64_t num_reads, std::uint64_t seed,
                  const Array<std::uint64_t>& streams, const Initial& initial, int num_threads) {
  check_positive("num_reads", num_reads);
  check_shape("streams", streams, {problem.num_problems});
  Reads reads{.num_reads = num_reads,
              .seed = seed,
              .streams = streams.data(),
              .initial = nullptr,
              .initial_problem_stride = 0,
              .initial_read_stride = 0,
              .num_threads = num_threads};
  if (initial) set_initial(problem, *initial, num_reads, reads);
  check_positive("num_threads", num_threads);
  return reads;
}

/// Checks start states (B, R, H + O), each of which is one read; R is any length from 1 up.
template <class Real>
Reads check_starts(const Problem<Real>& problem, const Array<std::int8_t>& initial,
                   int num_threads) {
  Reads reads{.num_reads = 0,
              .seed = 0,
              .streams = nullptr,
              .initial = nullptr,
              .initial_problem_stride = 0,
              .initial_read_stride = 0,
              .num_threads = num_threads};
  set_initial(problem, initial, kAnyLength, reads);
  reads.num_reads = initial.shape(1);
  check_positive("num_threads", num_threads);
  return reads;
}

/// New arrays of spins (B, R, H + O) and energies (B, R), and their data. The data is taken here,
/// because that needs Python's lock.
struct SampledStates {
  template <class Real>
  SampledStates(const Problem<Real>& problem, std::int64_t num_reads)
      : spins({problem.num_problems, num_reads, problem.num_spins()}),
        energies({problem.num_problems, num_reads}),
        spins_data(spins.mutable_data()),
        energies_data(energies.mutable_data()) {}

  Array<std::int8_t> spins;
  Array<double> energies;
  std::int8_t* spins_data;
  double* energies_data;
};

}  // namespace isingprop
