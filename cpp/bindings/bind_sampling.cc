#include <pybind11/stl.h>

#include <cmath>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "samplers/annealing.h"

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
  return {couplings.data(), hidden_fields.data(), output_fields.data(), rows, couplings.shape(0), couplings.shape(1),
          one_row};
}

void check_betas(const Array<double>& betas) {
  check_shape("betas", betas, {kAnyLength});
  for (const double* beta = betas.data(); beta < betas.data() + betas.size(); ++beta) {
    if (*beta >= 0.0 && std::isfinite(*beta)) continue;
    throw py::value_error("betas must be finite and not negative, got " + std::to_string(*beta));
  }
}

/// initial may have length 1 along problems or reads: the same state for all of them.
void set_initial(const Array<std::int8_t>& initial, py::ssize_t problems, py::ssize_t num_spins, AnnealingPlan& plan) {
  const bool one_problem = initial.ndim() == 3 && initial.shape(0) == 1;
  const bool one_read = initial.ndim() == 3 && initial.shape(1) == 1;
  check_shape("initial", initial, {one_problem ? 1 : problems, one_read ? 1 : plan.num_reads, num_spins});
  check_spins("initial", initial);
  plan.initial = initial.data();
  plan.initial_read_stride = one_read ? 0 : num_spins;
  plan.initial_problem_stride = one_problem ? 0 : initial.shape(1) * num_spins;
}

template <class Real>
py::tuple anneal_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                        const Array<Real>& output_fields, const Array<double>& betas, bool relative, bool descend,
                        std::int64_t num_reads, std::uint64_t seed, const Array<std::uint64_t>& streams,
                        const std::optional<Array<std::int8_t>>& initial, int num_threads) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  const std::int64_t num_spins = problem.num_hidden + problem.num_output;
  check_betas(betas);
  check_positive("num_reads", num_reads);
  check_shape("streams", streams, {problem.num_problems});
  AnnealingPlan plan{betas.data(),   betas.size(), relative, descend, num_reads,  seed,
                     streams.data(), nullptr,      0,        0,       num_threads};
  if (initial) set_initial(*initial, problem.num_problems, num_spins, plan);
  check_positive("num_threads", num_threads);
  Array<std::int8_t> spins({problem.num_problems, num_reads, num_spins});
  Array<double> energies({problem.num_problems, num_reads});
  std::int8_t* spins_out = spins.mutable_data();
  double* energies_out = energies.mutable_data();
  without_gil([&](Interrupt& interrupt) { anneal(problem, plan, spins_out, energies_out, interrupt); });
  return py::make_tuple(spins, energies);
}

template <class Real>
Array<double> energies_of_arrays(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                                 const Array<Real>& output_fields, const Array<std::int8_t>& spins) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_shape("spins", spins, {problem.num_problems, kAnyLength, problem.num_hidden + problem.num_output});
  check_spins("spins", spins);
  Array<double> result({problem.num_problems, static_cast<std::int64_t>(spins.shape(1))});
  double* out = result.mutable_data();
  without_gil([&](Interrupt& interrupt) { energies(problem, spins.data(), spins.shape(1), out, interrupt); });
  return result;
}

template <class Real>
void bind_for(py::module_& m) {
  m.def("anneal", &anneal_arrays<Real>, py::arg("couplings").noconvert(), py::arg("hidden_fields").noconvert(),
        py::arg("output_fields").noconvert(), py::arg("betas").noconvert(), py::arg("relative"), py::arg("descend"),
        py::arg("num_reads"), py::arg("seed"), py::arg("streams").noconvert(), py::arg("initial").noconvert(),
        py::arg("num_threads"));
  m.def("energies", &energies_of_arrays<Real>, py::arg("couplings").noconvert(), py::arg("hidden_fields").noconvert(),
        py::arg("output_fields").noconvert(), py::arg("spins").noconvert());
}

}  // namespace

void bind_sampling(py::module_& m) {
  bind_for<float>(m);
  bind_for<double>(m);
}

}  // namespace isingprop
