/// The parts of the module `_core`, one function for each file of bindings.
#pragma once

#include <pybind11/pybind11.h>

namespace isingprop {

void bind_sampling(pybind11::module_& m);
void bind_boltzmann(pybind11::module_& m);
void bind_coherent(pybind11::module_& m);
void bind_network(pybind11::module_& m);
void bind_kernels(pybind11::module_& m);

}  // namespace isingprop
