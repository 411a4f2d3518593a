/// The quantum annealer, simulated: a state vector under alternating diagonal and transverse
/// evolutions.
#pragma once

#include <cstdint>

#include "util/pool.h"

namespace isingprop {

/// A state of so many takes 1.1 GB.
inline constexpr int kMostQubits = 26;

/// One problem over num_hidden + num_output qubits.
struct TableTask {
  const double* couplings;  ///< (num_hidden, num_output)
  const double* hidden_fields;
  const double* output_fields;
  std::int64_t num_hidden, num_output;
};

/// The energies of all states, 2^(num_hidden + num_output) of them. Bit k of the index is 1 where
/// spin k is +1, hidden spins first.
void fill_energies(const TableTask& task, int num_threads, double* energies, Interrupt& interrupt);

/// exp(-i phases[n] E) exp(i angles[n-1] sum X) exp(-i phases[n-1] E) ... exp(i angles[0] sum X)
/// exp(-i phases[0] E)
struct Evolution {
  int num_qubits;
  const double* energies;  ///< 2^num_qubits
  const double* phases;    ///< num_steps + 1
  const double* angles;    ///< num_steps
  std::int64_t num_steps;
  int num_threads;
};

/// Applies it to 2^num_qubits amplitudes (re, im) in place. Gives the sum of probabilities. The
/// same bits for any number of threads.
template <class Real>
double evolve(const Evolution& evolution, Real* state, Interrupt& interrupt);

}  // namespace isingprop
