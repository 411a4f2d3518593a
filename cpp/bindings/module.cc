#include "bindings/bind.h"

// Every function works on arguments of its own and may be called from many threads; see _core.pyi for what each does.
PYBIND11_MODULE(_core, m) {
  isingprop::bind_sampling(m);
  isingprop::bind_network(m);
  isingprop::bind_coherent(m);
  isingprop::bind_boltzmann(m);
  isingprop::bind_kernels(m);
}
