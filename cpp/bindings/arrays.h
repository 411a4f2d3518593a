/// Array types and the checks that keep invalid arrays out of the kernels.
///
/// Every bound function checks its arguments in their order. A message quotes the name, what the
/// argument must be and what it was: "bias must have shape (3,), got (4,)".
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <initializer_list>
#include <string>

#include "util/interrupt.h"

namespace isingprop {

namespace py = pybind11;

/// A C-ordered array. Array arguments are registered with noconvert(), so that another dtype or
/// order is a TypeError and never a silent copy.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// Stands for a length that may be anything from 1 up.
inline constexpr py::ssize_t kAnyLength = -1;

inline std::string shape_text(const py::array& array) {
  std::string text = "(";
  for (py::ssize_t k = 0; k < array.ndim(); ++k) {
    text += (k ? ", " : "") + std::to_string(array.shape(k));
  }
  return text + (array.ndim() == 1 ? ",)" : ")");
}

inline std::string wanted_text(std::initializer_list<py::ssize_t> shape) {
  std::string text = "(";
  for (const py::ssize_t length : shape) {
    if (text.size() > 1) text += ", ";
    text += length == kAnyLength ? std::string("n") : std::to_string(length);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

inline void check_shape(const char* name, const py::array& array,
                        std::initializer_list<py::ssize_t> shape) {
  bool good = array.ndim() == static_cast<py::ssize_t>(shape.size());
  py::ssize_t axis = 0;
  for (const py::ssize_t length : shape) {
    if (good) good = length == kAnyLength ? array.shape(axis) > 0 : array.shape(axis) == length;
    ++axis;
  }

  if (good) return;
  throw py::value_error(std::string(name) + " must have shape " + wanted_text(shape) + ", got " +
                        shape_text(array));
}

/// Checks that every spin is exactly -1 or +1.
inline void check_spins(const char* name, const Array<std::int8_t>& spins) {
  const std::int8_t* data = spins.data();
  bool good = true;
  for (py::ssize_t k = 0; k < spins.size(); ++k) good &= data[k] == 1 || data[k] == -1;
  if (good) return;

  py::ssize_t k = 0;
  while (data[k] == 1 || data[k] == -1) ++k;
  throw py::value_error(std::string(name) + " must be -1 or +1, got " + std::to_string(data[k]) +
                        " at flat index " + std::to_string(k));
}

inline void check_positive(const char* name, std::int64_t value) {
  if (value >= 1) return;
  throw py::value_error(std::string(name) + " must be at least 1, got " + std::to_string(value));
}

inline void check_not_negative(const char* name, std::int64_t value) {
  if (value >= 0) return;
  throw py::value_error(std::string(name) + " must be at least 0, got " + std::to_string(value));
}

/// Checks that the output spins, the columns of the couplings, are as many for each class.
inline void check_classes(std::int64_t num_classes, std::int64_t num_output) {
  check_positive("num_classes", num_classes);
  if (num_output % num_classes == 0) return;
  throw py::value_error(
      "couplings must have a multiple of num_classes = " + std::to_string(num_classes) +
      " columns, got " + std::to_string(num_output));
}

/// Calls work(interrupt) without Python's lock. Ctrl-C ends it with KeyboardInterrupt.
template <class Work>
void without_gil(const Work& work) {
  Interrupt interrupt([] {
    const py::gil_scoped_acquire lock;
    return PyErr_CheckSignals() != 0;
  });
  try {
    const py::gil_scoped_release unlock;
    work(interrupt);
    interrupt.check(false);
  } catch (const Interrupted&) {
    throw py::error_already_set();  // the exception that PyErr_CheckSignals() has set
  }
}

}  // namespace isingprop
