/// Bindings of the samplers, each for float and for double problems.
#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/sampling_arguments.h"
#include "samplers/annealing.h"
#include "samplers/cyclic.h"
#include "samplers/descent.h"
#include "samplers/tempering.h"

namespace isingprop {
namespace {

template <class Real>
py::tuple anneal_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                        const Array<Real>& output_fields, const Array<double>& betas, bool relative,
                        std::optional<bool> descend, std::int64_t num_reads, std::uint64_t seed,
                        const Array<std::uint64_t>& streams, const Initial& initial,
                        int num_threads) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_numbers("betas", betas);
  const Reads reads = check_reads(problem, num_reads, seed, streams, initial, num_threads);
  Descent descent = Descent::kWhereCold;
  if (descend) descent = *descend ? Descent::kAlways : Descent::kNever;
  const AnnealingPlan plan{.betas = betas.data(),
                           .num_sweeps = betas.size(),
                           .relative = relative,
                           .descent = descent,
                           .reads = reads};

  const SampledStates states(problem, num_reads);
  Array<double> ends({problem.num_problems, std::int64_t{2}});
  const AnnealingResult result{
      .spins = states.spins_data, .energies = states.energies_data, .betas = ends.mutable_data()};
  without_gil([&](Interrupt& interrupt) { anneal(problem, plan, result, interrupt); });
  return py::make_tuple(states.spins, states.energies, ends);
}

template <class Real>
py::tuple descend_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                         const Array<Real>& output_fields, const Array<std::int8_t>& initial,
                         int num_threads) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  const Reads reads = check_starts(problem, initial, num_threads);

  const SampledStates states(problem, reads.num_reads);
  without_gil([&](Interrupt& interrupt) {
    descend(problem, reads, states.spins_data, states.energies_data, interrupt);
  });
  return py::make_tuple(states.spins, states.energies);
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
  if (target >= betas.size()) {
    throw py::value_error("target must be a rung, got " + std::to_string(target));
  }
  const Reads reads = check_reads(problem, num_reads, seed, streams, initial, num_threads);
  const TemperingPlan plan{.betas = betas.data(),
                           .num_betas = betas.size(),
                           .num_sweeps = num_sweeps,
                           .target = target,
                           .relative = relative,
                           .adaptive = adaptive,
                           .reads = reads};

  const SampledStates states(problem, num_reads);
  const std::int64_t num_betas = betas.size();
  Array<double> ladders({problem.num_problems, num_reads, num_betas});
  Array<double> acceptance({problem.num_problems, num_reads, num_betas - 1});
  Array<std::int64_t> round_trips({problem.num_problems, num_reads});
  const TemperingResult result{.spins = states.spins_data,
                               .energies = states.energies_data,
                               .betas = ladders.mutable_data(),
                               .swap_acceptance = acceptance.mutable_data(),
                               .round_trips = round_trips.mutable_data()};
  without_gil([&](Interrupt& interrupt) { temper(problem, plan, result, interrupt); });
  return py::make_tuple(states.spins, states.energies, ladders, acceptance, round_trips);
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
  const CyclicPlan plan{.betas = betas.data(),
                        .biases = biases.data(),
                        .num_sweeps = betas.size(),
                        .num_cycles = num_cycles,
                        .relative = relative,
                        .reads = reads};

  const SampledStates states(problem, num_reads);
  Array<std::int8_t> ends({problem.num_problems, num_reads, num_cycles, problem.num_spins()});
  std::int8_t* ends_data = ends.mutable_data();
  without_gil([&](Interrupt& interrupt) {
    cycle(problem, plan, states.spins_data, states.energies_data, ends_data, interrupt);
  });
  return py::make_tuple(states.spins, states.energies, ends);
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
Array<double> absolute_betas_of_arrays(const Array<Real>& couplings,
                                       const Array<Real>& hidden_fields,
                                       const Array<Real>& output_fields,
                                       const Array<double>& relative) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_numbers("relative", relative);

  Array<double> result({problem.num_problems, static_cast<std::int64_t>(relative.size())});
  double* out = result.mutable_data();
  without_gil([&](Interrupt&) { absolute_betas(problem, relative.data(), relative.size(), out); });
  return result;
}

template <class Real>
void bind_for(py::module_& m) {
  m.def("anneal", &anneal_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("betas").noconvert(), py::arg("relative"), py::arg("descend"), py::arg("num_reads"),
        py::arg("seed"), py::arg("streams").noconvert(), py::arg("initial").noconvert(),
        py::arg("num_threads"));
  m.def("descend", &descend_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("initial").noconvert(), py::arg("num_threads"));
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
  m.def("absolute_betas", &absolute_betas_of_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("relative").noconvert());
  m.def("energies", &energies_of_arrays<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("spins").noconvert());
}

}  // namespace

void bind_samplers(py::module_& m) {
  m.attr("COLD_BETA") = kColdBeta;
  bind_for<float>(m);
  bind_for<double>(m);
}

}  // namespace isingprop
