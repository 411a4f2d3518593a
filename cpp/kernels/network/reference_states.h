/// The struct that the reference states of Eq. (7) work on.
#pragma once

#include <cstdint>

namespace isingprop {

/// Real is the type of the user's arrays.
template <class Real>
struct ReferenceJob {
  const Real* couplings;       ///< (num_hidden, num_output)
  const Real* hidden_fields;   ///< b_i + h_i[x], (num_images, num_hidden)
  const std::int8_t* targets;  ///< n[y], (num_images, num_references, num_output), -1 or +1
  std::int64_t num_images, num_references, num_hidden, num_output;
  std::int8_t* spins;  ///< out: (num_images, num_references, num_hidden + num_output)
  double* scratch;     ///< padded(num_output)
};

}  // namespace isingprop
