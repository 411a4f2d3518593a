#include <pybind11/stl.h>

#include <cmath>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "samplers/annealing.h"
#include "samplers/cyclic.h"
#include "samplers/tempering.h"

namespace isingprop {
namespace {

template <class Real>
Problem<Real> check_problem(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                            const Array<Real>& output_fields) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  check_shape("hidden_fields", hidden_fields, {kAnyLength, couplings.shape(0)});
  const bool one_row = output_fields.ndim() == 2 && output_fields.shape(0) == 1;
  const py::ssize_t rows = hidden_fields.shape(0);
  check_shape("output_fields", output_fields, {one_row ? 1 : rows, couplings.shape(1)});
  return {couplings.data(),
          hidden_fields.data(),
          output_fields.data(),
          rows,
          couplings.shape(0),
          couplings.shape(1),
          one_row};
}

void check_numbers(const char* name, const Array<double>& numbers) {
  check_shape(name, numbers, {kAnyLength});
  for (const double* x = numbers.data(); x < numbers.data() + numbers.size(); ++x) {
    if (*x >= 0.0 && std::isfinite(*x)) continue;
    throw py::value_error(std::string(name) + " must be finite and not negative, got " +
                          std::to_string(*x));
  }
}

using Initial = std::optional<Array<std::int8_t>>;

/// initial may have length 1 along problems or reads: the same state for all of them.
template <class Real>
Reads check_reads(const Problem<Real>& problem, std::int64_t num_reads, std::uint64_t seed,
                  const Array<std::uint64_t>& streams, const Initial& initial, int num_threads) {
  check_positive("num_reads", num_reads);
  check_shape("streams", streams, {problem.num_problems});
  Reads reads{num_reads, seed, streams.data(), nullptr, 0, 0, num_threads};
  if (initial) {
    const bool one_problem = initial->ndim() == 3 && initial->shape(0) == 1;
    const bool one_read = initial->ndim() == 3 && initial->shape(1) == 1;
    const std::int64_t num_spins = problem.num_spins();
    check_shape("initial", *initial,
                {one_problem ? 1 : problem.num_problems, one_read ? 1 : num_reads, num_spins});
    check_spins("initial", *initial);
    reads.initial = initial->data();
    reads.initial_read_stride = one_read ? 0 : num_spins;
    reads.initial_problem_stride = one_problem ? 0 : initial->shape(1) * num_spins;
  }
  check_positive("num_threads", num_threads);
  return reads;
}

template <class Real>
py::tuple anneal_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                        const Array<Real>& output_fields, const Array<double>& betas, bool relative,
                        bool descend, std::int64_t num_reads, std::uint64_t seed,
                        const Array<std::uint64_t>& streams, const Initial& initial,
                        int num_threads) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_numbers("betas", betas);
  const Reads reads = check_reads(problem, num_reads, seed, streams, initial, num_threads);
  const AnnealingPlan plan{betas.data(), betas.size(), relative, descend, reads};
  Array<std::int8_t> spins({problem.num_problems, num_reads, problem.num_spins()});
  Array<double> energies({problem.num_problems, num_reads});
  std::int8_t* spins_out = spins.mutable_data();
  double* energies_out = energies.mutable_data();
  without_gil(
      [&](Interrupt& interrupt) { anneal(problem, plan, spins_out, energies_out, interrupt); });
  return py::make_tuple(spins, energies);
}

template <class Real>
py::tuple temper_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                        const Array<Real>& output_fields, const Array<double>& betas,
                        std::int64_t num_sweeps, std::int64_t target, bool relative, bool adaptive,
                        std::int64_t num_reads, std::uint64_t seed,
                        const Array<std::uint64_t>& streams, const Initial& initial,
                        int num_threads) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_numbers("betas", betas);
  check_positive("num_sweeps", num_sweeps);
  if (target >= betas.size())
    throw py::value_error("target must be a rung, got " + std::to_string(target));
  const Reads reads = check_reads(problem, num_reads, seed, streams, initial, num_threads);
  const TemperingPlan plan{betas.data(), betas.size(), num_sweeps, target,
                           relative,     adaptive,     reads};
  Array<std::int8_t> spins({problem.num_problems, num_reads, problem.num_spins()});
  Array<double> energies({problem.num_problems, num_reads});
  Array<double> ladders({problem.num_problems, num_reads, static_cast<std::int64_t>(betas.size())});
  Array<double> acceptance(
      {problem.num_problems, num_reads, static_cast<std::int64_t>(betas.size() - 1)});
  Array<std::int64_t> round_trips({problem.num_problems, num_reads});
  const TemperingResult result{spins.mutable_data(), energies.mutable_data(),
                               ladders.mutable_data(), acceptance.mutable_data(),
                               round_trips.mutable_data()};
  without_gil([&](Interrupt& interrupt) { temper(problem, plan, result, interrupt); });
  return py::make_tuple(spins, energies, ladders, acceptance, round_trips);
}

template <class Real>
py::tuple cycle_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                       const Array<Real>& output_fields, const Array<double>& betas,
                       const Array<double>& biases, std::int64_t num_cycles, bool relative,
                       std::int64_t num_reads, std::uint64_t seed,
                       const Array<std::uint64_t>& streams, const Array<std::int8_t>& initial,
                       int num_threads) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_numbers("betas", betas);
  check_shape("biases", biases, {betas.size()});
  check_numbers("biases", biases);
  check_positive("num_cycles", num_cycles);
  const Reads reads = check_reads(problem, num_reads, seed, streams, Initial(initial), num_threads);
  const CyclicPlan plan{betas.data(), biases.data(), betas.size(), num_cycles, relative, reads};
  Array<std::int8_t> spins({problem.num_problems, num_reads, problem.num_spins()});
  Array<double> energies({problem.num_problems, num_reads});
  Array<std::int8_t> ends({problem.num_problems, num_reads, num_cycles, problem.num_spins()});
  std::int8_t* spins_out = spins.mutable_data();
  double* energies_out = energies.mutable_data();
  std::int8_t* ends_out = ends.mutable_data();
  without_gil([&](Interrupt& interrupt) {
    cycle(problem, plan, spins_out, energies_out, ends_out, interrupt);
  });
  return py::make_tuple(spins, energies, ends);
}

template <class Real>
Array<double> energies_of_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                                 const Array<Real>& output_fields,
                                 const Array<std::int8_t>& spins) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_shape("spins", spins, {problem.num_problems, kAnyLength, problem.num_spins()});
  check_spins("spins", spins);
  Array<double> result({problem.num_problems, static_cast<std::int64_t>(spins.shape(1))});
  double* out = result.mutable_data();
  without_gil([&](Interrupt& interrupt) {
    energies(problem, spins.data(), spins.shape(1), out, interrupt);
  });
  return result;
}

template <class Real>
void bind_for(py::module_& m) {
  m.def("anneal", &anneal_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("betas").noconvert(), py::arg("relative"), py::arg("descend"), py::arg("num_reads"),
        py::arg("seed"), py::arg("streams").noconvert(), py::arg("initial").noconvert(),
        py::arg("num_threads"));
  m.def("temper", &temper_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("betas").noconvert(), py::arg("num_sweeps"), py::arg("target"), py::arg("relative"),
        py::arg("adaptive"), py::arg("num_reads"), py::arg("seed"), py::arg("streams").noconvert(),
        py::arg("initial").noconvert(), py::arg("num_threads"));
  m.def("cycle", &cycle_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("betas").noconvert(), py::arg("biases").noconvert(), py::arg("num_cycles"),
        py::arg("relative"), py::arg("num_reads"), py::arg("seed"), py::arg("streams").noconvert(),
        py::arg("initial").noconvert(), py::arg("num_threads"));
  m.def("energies", &energies_of_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("spins").noconvert());
}

}  // namespace

void bind_samplers(py::module_& m) {
  bind_for<float>(m);
  bind_for<double>(m);
}

}  // namespace isingprop
