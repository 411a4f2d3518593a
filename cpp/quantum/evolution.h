/// Simulation of a quantum annealer: a state vector under alternating diagonal and transverse
/// evolutions.
#pragma once

#include <cstdint>

#include "util/interrupt.h"

namespace isingprop {

/// The state and the energies of 26 qubits take 1.6 GB in double precision.
inline constexpr int kMaxQubits = 26;

/// The product of steps, applied from right to left:
///
///     exp(-i phases[n] E) exp(i angles[n-1] sum X) exp(-i phases[n-1] E) ...
///                                          ... exp(i angles[0] sum X) exp(-i phases[0] E)
struct Evolution {
  int num_qubits;
  const double* energies;  ///< E, (2^num_qubits,)
  const double* phases;    ///< (num_steps + 1,)
  const double* angles;    ///< (num_steps,)
  std::int64_t num_steps;
  int num_threads;
};

/// Applies an evolution to 2^num_qubits amplitudes (re, im) in place and returns the sum of their
/// probabilities. The bits do not depend on the number of threads.
template <class Real>
double evolve(const Evolution& evolution, Real* state, Interrupt& interrupt);

}  // namespace isingprop
