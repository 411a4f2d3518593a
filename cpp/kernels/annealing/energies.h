/// The struct that the energies of given states work on.
#pragma once

#include <cstdint>

#include "kernels/annealing/chain.h"

namespace isingprop {

/// States of one problem whose energies are wanted. Real is the type of the user's arrays.
template <class Real>
struct EnergyJob {
  const Real* couplings;      ///< (num_hidden, num_output)
  const Real* hidden_fields;  ///< (num_hidden,)
  const Real* output_fields;  ///< (num_output,)
  std::int64_t num_hidden, num_output;
  const std::int8_t* spins;  ///< (num_states, num_hidden + num_output), -1 or +1
  std::int64_t num_states;
  double* energies;      ///< out: (num_states,)
  const RowSpan* spans;  ///< the part of each row of couplings that is not 0, or null for all of it
};

}  // namespace isingprop
