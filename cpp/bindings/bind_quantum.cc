/// Bindings of the state vector.
#include <complex>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "quantum/energy_table.h"
#include "quantum/evolution.h"

namespace isingprop {
namespace {

Array<double> energy_table(const Array<double>& couplings, const Array<double>& hidden_fields,
                           const Array<double>& output_fields, int num_threads) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  check_shape("hidden_fields", hidden_fields, {couplings.shape(0)});
  check_shape("output_fields", output_fields, {couplings.shape(1)});
  check_positive("num_threads", num_threads);
  const EnergyTableTask task{.couplings = couplings.data(),
                             .hidden_fields = hidden_fields.data(),
                             .output_fields = output_fields.data(),
                             .num_hidden = couplings.shape(0),
                             .num_output = couplings.shape(1)};
  const std::int64_t num_spins = task.num_hidden + task.num_output;
  if (num_spins > kMaxQubits) {
    throw py::value_error("couplings must be of at most " + std::to_string(kMaxQubits) +
                          " spins, got shape " + shape_text(couplings));
  }

  Array<double> energies(py::ssize_t{1} << num_spins);
  double* out = energies.mutable_data();
  without_gil([&](Interrupt& interrupt) { fill_energy_table(task, num_threads, out, interrupt); });
  return energies;
}

/// Returns n for a state of 2^n amplitudes.
int count_qubits(py::ssize_t length) {
  int num_qubits = 0;
  while ((py::ssize_t{1} << num_qubits) < length) ++num_qubits;
  if (num_qubits >= 1 && num_qubits <= kMaxQubits && py::ssize_t{1} << num_qubits == length) {
    return num_qubits;
  }
  throw py::value_error("state must have length 2^n, n = 1 ... " + std::to_string(kMaxQubits) +
                        ", got " + std::to_string(length));
}

/// Changes `state` in place; mutable_data() refuses an array that is read-only.
template <class Real>
double evolve_state(Array<std::complex<Real>>& state, const Array<double>& energies,
                    const Array<double>& phases, const Array<double>& angles, int num_threads) {
  check_shape("state", state, {kAnyLength});
  const int num_qubits = count_qubits(state.shape(0));
  check_shape("energies", energies, {state.shape(0)});
  check_shape("angles", angles, {kAnyLength});
  check_shape("phases", phases, {angles.shape(0) + 1});
  check_positive("num_threads", num_threads);

  Real* amplitudes = reinterpret_cast<Real*>(state.mutable_data());
  const Evolution evolution{.num_qubits = num_qubits,
                            .energies = energies.data(),
                            .phases = phases.data(),
                            .angles = angles.data(),
                            .num_steps = angles.shape(0),
                            .num_threads = num_threads};
  double sum = 0.0;
  without_gil([&](Interrupt& interrupt) { sum = evolve(evolution, amplitudes, interrupt); });
  return sum;
}

template <class Real>
void define_evolve(py::module_& m) {
  m.def("evolve", &evolve_state<Real>, py::arg("state").noconvert(),
        py::arg("energies").noconvert(), py::arg("phases").noconvert(),
        py::arg("angles").noconvert(), py::arg("num_threads"));
}

}  // namespace

void bind_quantum(py::module_& m) {
  m.def("energy_table", &energy_table, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("num_threads"));
  define_evolve<float>(m);
  define_evolve<double>(m);
}

}  // namespace isingprop
