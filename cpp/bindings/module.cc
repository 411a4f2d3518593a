#include "bindings/bind.h"

// Every function works on arguments of its own and may be called from many threads; see _core.pyi
// for what each does.
PYBIND11_MODULE(_core, m) {
  isingprop::bind_samplers(m);
  isingprop::bind_network(m);
  isingprop::bind_quantum(m);
  isingprop::bind_energy_model(m);
  isingprop::bind_targets(m);
}
