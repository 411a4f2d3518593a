/// The struct that the energies of class states work on.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// Problems whose outputs are fixed at the code of each class in turn: class k is +1 on its own
/// `redundancy` outputs, from redundancy * k on, and -1 on all others. Real is the type of the
/// user's arrays.
template <class Real>
struct ClassJob {
  const Real* couplings;      ///< (num_hidden, num_classes * redundancy)
  const Real* hidden_fields;  ///< f, (num_problems, num_hidden)
  const Real* output_fields;  ///< g, (num_problems, num_classes * redundancy), or one row
  std::int64_t num_problems, num_hidden, num_classes, redundancy;
  bool one_output_row;
  double* class_couplings;  ///< M, (num_hidden, padded(num_classes)); zero in the padding
  double* class_fields;     ///< sum_a g_a n_a[k] of one problem, padded(num_classes)
  double* energies;         ///< out: (num_problems, num_classes)
};

}  // namespace isingprop
