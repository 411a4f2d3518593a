/// Annealing of rotors in a transverse field, with many reads at a time.
#pragma once

#include <cstdint>

#include "rotors/rotor_model.h"
#include "util/interrupt.h"

namespace isingprop {

/// The sweeps of an anneal, and its reads: first_read, first_read + 1, ... of a stream.
struct RotorPlan {
  std::int64_t num_sweeps;
  const double* transverse;    ///< (num_sweeps,) a
  const double* longitudinal;  ///< (num_sweeps,) b
  const double* gains;         ///< (num_sweeps,) g
  const double* widths;        ///< (num_sweeps,) w in [0, 1]
  std::int64_t num_reads, first_read;
  std::uint64_t seed, stream;
  /// Start angles (num_reads, num_rotors), or one row for all reads; null for pi / 2 everywhere,
  /// where the transverse field alone has its ground state.
  const float* initial;
  bool one_initial_row;
  int num_threads;
};

/// Fills spins (num_reads, num_rotors), the signs of cos(theta), and angles (num_reads,
/// num_rotors), theta. The spin of a rotor at exactly kHalfPi is a random one of its own.
///
/// A read depends on the model, its start, its sweeps and its number alone. Throws Interrupted when
/// the user wants to stop.
void anneal_rotors(const RotorModel& model, const RotorPlan& plan, std::int8_t* spins,
                   float* angles, Interrupt& interrupt);

}  // namespace isingprop
