/// The Python module `_core`. Its functions are described in python/isingprop/_core.pyi.
#include "bindings/bind.h"

// Every function works on its own arguments only, so that many threads may call it at a time.
PYBIND11_MODULE(_core, m) {
  isingprop::bind_samplers(m);
  isingprop::bind_graphs(m);
  isingprop::bind_network(m);
  isingprop::bind_quantum(m);
  isingprop::bind_rotors(m);
  isingprop::bind_energy_model(m);
  isingprop::bind_training(m);
  isingprop::bind_targets(m);
}
