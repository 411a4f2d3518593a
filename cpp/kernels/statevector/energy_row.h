/// The struct that a row of the table of all energies works on.
#pragma once

#include <cstdint>

namespace isingprop {

/// A row of the table: the outputs are fixed, and the hidden spins take all their states. Bit i of
/// an index is 1 where hidden spin i is +1, and bit a of `outputs` where output spin a is.
struct EnergyRowJob {
  const double* couplings;      ///< (num_hidden, num_output)
  const double* hidden_fields;  ///< (num_hidden,)
  const double* output_fields;  ///< (num_output,)
  std::int64_t num_hidden, num_output;
  std::int64_t outputs;
  double* energies;  ///< out: (2^num_hidden,)
};

}  // namespace isingprop
