/// The table of function pointers of one target, the instruction set that kernels are compiled for.
///
/// Each kernel file is compiled once per target into a namespace of its own, and so is
/// kernel_table.cc, which fills the target's table; dispatch.h chooses a table at import. Kernels
/// check nothing: their callers in chains/, samplers/, quantum/ and bindings/ have done that.
#pragma once

#include <type_traits>

#include "targets/kernel_list.h"

namespace isingprop {

#define ISINGPROP_POINTER(result, kernel, parameters) result(*kernel) parameters;

/// The kernels that exist for both floating-point types, for one of them.
template <class Real>
struct RealKernels {
  ISINGPROP_REAL_KERNELS(ISINGPROP_POINTER, Real)
};

struct KernelTable {
  const char* name;  ///< of the target
  ISINGPROP_KERNELS(ISINGPROP_POINTER)
  RealKernels<float> of_float;
  RealKernels<double> of_double;

  /// Returns the kernels for Real, which is float or double.
  template <class Real>
  const RealKernels<Real>& of() const {
    if constexpr (std::is_same_v<Real, float>) {
      return of_float;
    } else {
      return of_double;
    }
  }
};

#undef ISINGPROP_POINTER

/// The tables, one per target. A processor that is not x86-64 has the first one only.
namespace baseline {
extern const KernelTable table;
}
namespace x86_64_v3 {
extern const KernelTable table;
}
namespace x86_64_v4 {
extern const KernelTable table;
}

}  // namespace isingprop
