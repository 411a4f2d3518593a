/// The functions that define the parts of the module `_core`, one for each file of bindings.
#pragma once

#include <pybind11/pybind11.h>

namespace isingprop {

void bind_graphs(pybind11::module_& m);
void bind_samplers(pybind11::module_& m);
void bind_network(pybind11::module_& m);
void bind_quantum(pybind11::module_& m);
void bind_rotors(pybind11::module_& m);
void bind_energy_model(pybind11::module_& m);
void bind_training(pybind11::module_& m);
void bind_targets(pybind11::module_& m);

}  // namespace isingprop
