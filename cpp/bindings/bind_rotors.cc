/// Binding of the annealing of rotors.
#include <pybind11/stl.h>

#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "rotors/rotor_annealing.h"

namespace isingprop {
namespace {

/// The largest size of fields and couplings: energies in the unit of the kernels stay finite
/// floats.
constexpr double kLargest = 1e9;

/// Checks that every number is from `low` to `high`.
template <class Real>
void check_range(const char* name, const Array<Real>& numbers, Real low, Real high,
                 const char* wanted) {
  const Real* data = numbers.data();
  for (py::ssize_t k = 0; k < numbers.size(); ++k) {
    if (data[k] >= low && data[k] <= high) continue;
    throw py::value_error(std::string(name) + " must be " + wanted + ", got " +
                          std::to_string(data[k]) + " at flat index " + std::to_string(k));
  }
}

void check_signed(const char* name, const Array<double>& numbers, py::ssize_t length) {
  check_shape(name, numbers, {length});
  check_range(name, numbers, -kLargest, kLargest, "from -1e9 to 1e9");
}

void check_unsigned(const char* name, const Array<double>& numbers, py::ssize_t length) {
  check_shape(name, numbers, {length});
  check_range(name, numbers, 0.0, kLargest, "from 0 to 1e9");
}

/// Checks that each row has two different rotors.
void check_ends(const Array<std::int64_t>& ends, std::int64_t num_rotors) {
  const std::int64_t* data = ends.data();
  for (py::ssize_t k = 0; k < ends.size(); ++k) {
    if (data[k] >= 0 && data[k] < num_rotors) continue;
    throw py::value_error("ends must be from 0 to " + std::to_string(num_rotors - 1) + ", got " +
                          std::to_string(data[k]) + " at flat index " + std::to_string(k));
  }
  for (py::ssize_t row = 0; row < ends.shape(0); ++row) {
    if (data[2 * row] != data[2 * row + 1]) continue;
    throw py::value_error("ends must be two different rotors in each row, got " +
                          std::to_string(data[2 * row]) + " twice in row " + std::to_string(row));
  }
}

RotorProblem check_problem_of_rotors(const Array<std::int64_t>& ends,
                                     const Array<double>& couplings, const Array<double>& fields,
                                     const Array<double>& offsets) {
  check_shape("ends", ends, {ends.ndim() == 2 ? ends.shape(0) : kAnyLength, 2});
  check_signed("couplings", couplings, ends.shape(0));
  check_shape("fields", fields, {kAnyLength});
  check_signed("fields", fields, fields.size());
  check_signed("offsets", offsets, fields.size());
  check_ends(ends, fields.size());
  return {.num_rotors = fields.size(),
          .num_couplings = ends.shape(0),
          .ends = ends.data(),
          .couplings = couplings.data(),
          .fields = fields.data(),
          .offsets = offsets.data()};
}

py::tuple anneal_rotor_arrays(const Array<std::int64_t>& ends, const Array<double>& couplings,
                              const Array<double>& fields, const Array<double>& offsets,
                              const Array<double>& transverse, const Array<double>& longitudinal,
                              const Array<double>& gains, const Array<double>& widths,
                              std::int64_t num_reads, std::int64_t first_read, std::uint64_t seed,
                              std::uint64_t stream, const std::optional<Array<float>>& initial,
                              int num_threads) {
  const RotorProblem problem = check_problem_of_rotors(ends, couplings, fields, offsets);
  const py::ssize_t num_sweeps = transverse.ndim() == 1 ? transverse.size() : kAnyLength;
  check_unsigned("transverse", transverse, num_sweeps);
  check_unsigned("longitudinal", longitudinal, num_sweeps);
  check_signed("gains", gains, num_sweeps);
  check_shape("widths", widths, {num_sweeps});
  check_range("widths", widths, 0.0, 1.0, "from 0 to 1");
  check_positive("num_reads", num_reads);
  check_not_negative("first_read", first_read);

  const bool one_row = initial && initial->ndim() == 2 && initial->shape(0) == 1;
  if (initial) {
    check_shape("initial", *initial, {one_row ? 1 : num_reads, problem.num_rotors});
    check_range("initial", *initial, 0.0f, kPi, "from 0 to float32(pi)");
  }
  check_positive("num_threads", num_threads);
  const RotorPlan plan{.num_sweeps = num_sweeps,
                       .transverse = transverse.data(),
                       .longitudinal = longitudinal.data(),
                       .gains = gains.data(),
                       .widths = widths.data(),
                       .num_reads = num_reads,
                       .first_read = first_read,
                       .seed = seed,
                       .stream = stream,
                       .initial = initial ? initial->data() : nullptr,
                       .one_initial_row = one_row,
                       .num_threads = num_threads};

  Array<std::int8_t> spins({num_reads, problem.num_rotors});
  Array<float> angles({num_reads, problem.num_rotors});
  std::int8_t* spins_data = spins.mutable_data();
  float* angles_data = angles.mutable_data();
  without_gil([&](Interrupt& interrupt) {
    anneal_rotors(RotorModel(problem), plan, spins_data, angles_data, interrupt);
  });
  return py::make_tuple(spins, angles);
}

}  // namespace

void bind_rotors(py::module_& m) {
  m.def("anneal_rotors", &anneal_rotor_arrays, py::arg("ends").noconvert(),
        py::arg("couplings").noconvert(), py::arg("fields").noconvert(),
        py::arg("offsets").noconvert(), py::arg("transverse").noconvert(),
        py::arg("longitudinal").noconvert(), py::arg("gains").noconvert(),
        py::arg("widths").noconvert(), py::arg("num_reads"), py::arg("first_read"), py::arg("seed"),
        py::arg("stream"), py::arg("initial").noconvert(), py::arg("num_threads"));
}

}  // namespace isingprop
