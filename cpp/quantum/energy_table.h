/// The table of the energies of all states of one problem.
#pragma once

#include <cstdint>

#include "util/interrupt.h"

namespace isingprop {

/// One problem over num_hidden + num_output spins.
struct EnergyTableTask {
  const double* couplings;      ///< (num_hidden, num_output)
  const double* hidden_fields;  ///< (num_hidden,)
  const double* output_fields;  ///< (num_output,)
  std::int64_t num_hidden, num_output;
};

/// Fills the energies of all 2^(num_hidden + num_output) states. Bit k of the index is 1 where spin
/// k is +1, hidden spins first:
///
///     one hidden spin s and one output spin t:   index 0: (-, -)   1: (+, -)   2: (-, +)   3: (+,
///     +)
void fill_energy_table(const EnergyTableTask& task, int num_threads, double* energies,
                       Interrupt& interrupt);

}  // namespace isingprop
