/// Couplings and fields as the user gave them.
#pragma once

#include <cstdint>

namespace isingprop {

struct GivenCouplings {
  std::int64_t num_spins, num_couplings;
  const std::int32_t* places;  ///< (num_couplings, 2): the places of both spins in a sweep
  const double* couplings;     ///< (num_couplings,)
  const double* fields;        ///< (num_spins,), by place
};

}  // namespace isingprop
