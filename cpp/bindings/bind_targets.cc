/// Bindings of the choice of the instruction set.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bindings/bind.h"
#include "targets/dispatch.h"

namespace isingprop {

void bind_targets(pybind11::module_& m) {
  kernels();  // refuses a wrong ISINGPROP_KERNEL at import

  m.def("available_kernels", [] {
    std::vector<std::string> names;
    for (const KernelTable* table : available_kernels()) names.emplace_back(table->name);
    return names;
  });
  m.def("current_kernel", [] { return std::string(kernels().name); });
  m.def("select_kernel", &select_kernels, pybind11::arg("name"));
}

}  // namespace isingprop
