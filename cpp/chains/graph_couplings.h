/// Couplings on any graph as lists of neighbours.
#pragma once

#include <cstdint>

namespace isingprop {

/// Couplings, each in the unit of its spin: what local scales are found from.
struct GraphCouplings {
  std::int64_t num_spins;
  const std::int64_t* first;    ///< (num_spins + 1): where the couplings of each spin begin
  const std::int32_t* others;   ///< the other spin of each coupling, ascending within a spin
  const float* couplings;       ///< J_ij in the unit of spin i
  const float *sums, *squares;  ///< of each spin: sum_j |J_ij| and sum_j J_ij^2, in its unit
  const int* exponents;         ///< of the unit of each spin
  int exponent;                 ///< the largest of them
};

}  // namespace isingprop
