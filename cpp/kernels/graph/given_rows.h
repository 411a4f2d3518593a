/// Couplings and fields as the user gave them, in the order of a sweep.
#pragma once

#include <cstdint>

#include "kernels/graph/graph_rows.h"

namespace isingprop {

/// The couplings of each spin, those with earlier spins first.
struct GivenRows {
  std::int64_t num_spins;
  const std::int64_t* first;    ///< (num_spins + 1): where the couplings of each spin begin
  const std::int64_t* later;    ///< (num_spins,): where those with later spins begin
  const Neighbour* neighbours;  ///< the other spin of each
  const double* couplings;      ///< J_ij
  const double* fields;         ///< h_i
};

}  // namespace isingprop
