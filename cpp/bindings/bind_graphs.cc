/// Bindings of the samplers of problems on any graph.
#include <pybind11/stl.h>

#include <cmath>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/sampling_arguments.h"
#include "samplers/graph_annealing.h"
#include "samplers/graph_tempering.h"

namespace isingprop {
namespace {

/// Checks the arrays of a problem: ends (E, 2), each pair of different spins, couplings (E,) and
/// fields (N,). The sampler checks that the numbers are finite.
GraphProblem check_graph(const Array<std::int64_t>& ends, const Array<double>& couplings,
                         const Array<double>& fields) {
  constexpr std::int64_t kMostSpins = std::int64_t{1} << 30;
  check_shape("fields", fields, {kAnyLength});
  const std::int64_t num_spins = fields.size(), num_couplings = couplings.size();
  if (num_spins > kMostSpins) {
    throw py::value_error("fields must be of at most 2^30 spins, got " + std::to_string(num_spins));
  }
  const bool pairs = ends.ndim() == 2 && ends.shape(1) == 2 && ends.shape(0) == num_couplings;
  if (!pairs || couplings.ndim() != 1) {
    throw py::value_error("ends must have shape (n, 2) and couplings (n,), got " +
                          shape_text(ends) + " and " + shape_text(couplings));
  }

  const std::int64_t* end = ends.data();
  for (std::int64_t k = 0; k < num_couplings; ++k, end += 2) {
    const bool good = end[0] >= 0 && end[0] < num_spins && end[1] >= 0 && end[1] < num_spins;
    if (good && end[0] != end[1]) continue;
    throw py::value_error("ends must be two different spins from 0 to " +
                          std::to_string(num_spins - 1) + ", got " + std::to_string(end[0]) +
                          " and " + std::to_string(end[1]) + " at " + std::to_string(k));
  }
  return {.num_spins = num_spins,
          .num_couplings = num_couplings,
          .ends = ends.data(),
          .couplings = couplings.data(),
          .fields = fields.data()};
}

GraphReads check_graph_reads(const GraphProblem& problem, std::int64_t num_reads,
                             std::int64_t first_read, std::uint64_t seed, const Initial& initial,
                             int num_threads) {
  check_positive("num_reads", num_reads);
  check_not_negative("first_read", first_read);
  if (initial) {
    check_shape("initial", *initial, {num_reads, problem.num_spins});
    check_spins("initial", *initial);
  }
  check_positive("num_threads", num_threads);
  return {.first = first_read,
          .count = num_reads,
          .seed = seed,
          .initial = initial ? initial->data() : nullptr,
          .num_threads = num_threads};
}

void check_betas(const Array<double>& betas, bool relative) {
  for (const double* beta = betas.data(); beta < betas.data() + betas.size(); ++beta) {
    if (*beta >= 0.0 && (!relative || std::isfinite(*beta))) continue;
    throw py::value_error("betas must be at least 0, got " + std::to_string(*beta));
  }
}

py::tuple anneal_graph_arrays(const Array<std::int64_t>& ends, const Array<double>& couplings,
                              const Array<double>& fields, const Array<double>& betas,
                              bool relative, std::optional<bool> descend, std::int64_t num_reads,
                              std::int64_t first_read, std::uint64_t seed, const Initial& initial,
                              int num_threads) {
  const GraphProblem problem = check_graph(ends, couplings, fields);
  check_betas(betas, relative);
  const GraphReads reads =
      check_graph_reads(problem, num_reads, first_read, seed, initial, num_threads);
  Descent descent = Descent::kWhereCold;
  if (descend) descent = *descend ? Descent::kAlways : Descent::kNever;
  const GraphAnnealingPlan plan{.betas = betas.data(),
                                .num_sweeps = betas.size(),
                                .relative = relative,
                                .descent = descent,
                                .reads = reads};

  Array<std::int8_t> spins({num_reads, problem.num_spins});
  Array<double> energies({num_reads}), range({std::int64_t{2}});
  const GraphAnnealingResult result{.spins = spins.mutable_data(),
                                    .energies = energies.mutable_data(),
                                    .range = range.mutable_data()};
  without_gil([&](Interrupt& interrupt) { anneal_graph(problem, plan, result, interrupt); });
  return py::make_tuple(spins, energies, range);
}

py::tuple temper_graph_arrays(const Array<std::int64_t>& ends, const Array<double>& couplings,
                              const Array<double>& fields, const Array<double>& betas,
                              std::int64_t num_sweeps, std::int64_t target, bool relative,
                              bool adaptive, std::int64_t num_reads, std::int64_t first_read,
                              std::uint64_t seed, const Initial& initial, int num_threads) {
  const GraphProblem problem = check_graph(ends, couplings, fields);
  check_numbers("betas", betas);
  check_positive("num_sweeps", num_sweeps);
  const std::int64_t num_betas = betas.size();
  if (target >= num_betas) {
    throw py::value_error("target must be a rung, got " + std::to_string(target));
  }
  const GraphReads reads =
      check_graph_reads(problem, num_reads, first_read, seed, initial, num_threads);
  const GraphTemperingPlan plan{.betas = betas.data(),
                                .num_betas = num_betas,
                                .num_sweeps = num_sweeps,
                                .target = target,
                                .relative = relative,
                                .adaptive = adaptive,
                                .reads = reads};

  Array<std::int8_t> spins({num_reads, problem.num_spins});
  Array<double> energies({num_reads}), ladders({num_reads, num_betas});
  Array<double> acceptance({num_reads, num_betas - 1});
  Array<std::int64_t> round_trips({num_reads});
  const GraphTemperingResult result{.spins = spins.mutable_data(),
                                    .energies = energies.mutable_data(),
                                    .betas = ladders.mutable_data(),
                                    .swap_acceptance = acceptance.mutable_data(),
                                    .round_trips = round_trips.mutable_data()};
  without_gil([&](Interrupt& interrupt) { temper_graph(problem, plan, result, interrupt); });
  return py::make_tuple(spins, energies, ladders, acceptance, round_trips);
}

Array<double> absolute_graph_betas_of_arrays(const Array<std::int64_t>& ends,
                                             const Array<double>& couplings,
                                             const Array<double>& fields,
                                             const Array<double>& relative) {
  const GraphProblem problem = check_graph(ends, couplings, fields);
  check_numbers("relative", relative);

  Array<double> result({static_cast<std::int64_t>(relative.size())});
  double* out = result.mutable_data();
  without_gil(
      [&](Interrupt&) { absolute_graph_betas(problem, relative.data(), relative.size(), out); });
  return result;
}

}  // namespace

void bind_graphs(py::module_& m) {
  m.def("anneal_graph", &anneal_graph_arrays, py::arg("ends").noconvert(),
        py::arg("couplings").noconvert(), py::arg("fields").noconvert(),
        py::arg("betas").noconvert(), py::arg("relative"), py::arg("descend"), py::arg("num_reads"),
        py::arg("first_read"), py::arg("seed"), py::arg("initial").noconvert(),
        py::arg("num_threads"));
  m.def("temper_graph", &temper_graph_arrays, py::arg("ends").noconvert(),
        py::arg("couplings").noconvert(), py::arg("fields").noconvert(),
        py::arg("betas").noconvert(), py::arg("num_sweeps"), py::arg("target"), py::arg("relative"),
        py::arg("adaptive"), py::arg("num_reads"), py::arg("first_read"), py::arg("seed"),
        py::arg("initial").noconvert(), py::arg("num_threads"));
  m.def("absolute_graph_betas", &absolute_graph_betas_of_arrays, py::arg("ends").noconvert(),
        py::arg("couplings").noconvert(), py::arg("fields").noconvert(),
        py::arg("relative").noconvert());
}

}  // namespace isingprop
