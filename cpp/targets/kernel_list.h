/// The list of all kernels, from which the table of function pointers is declared and filled.
///
/// A kernel is a function of a target's namespace that is defined in a file of cpp/kernels/. To add
/// one, add its file and one line here: X(result, name, (parameters)).
#pragma once

#include <cstdint>

#include "kernels/annealing/chain.h"
#include "kernels/annealing/energies.h"
#include "kernels/annealing/rounding.h"
#include "kernels/energy_model/hidden_means.h"
#include "kernels/energy_model/output_distribution.h"
#include "kernels/graph/given_couplings.h"
#include "kernels/graph/graph_rows.h"
#include "kernels/graph/quanta_rows.h"
#include "kernels/network/adam.h"
#include "kernels/network/class_energies.h"
#include "kernels/network/local_fields.h"
#include "kernels/network/reference_states.h"
#include "kernels/network/update.h"
#include "kernels/rotor/rotors.h"
#include "kernels/statevector/amplitudes.h"
#include "kernels/statevector/energy_row.h"

// clang-format off
#define ISINGPROP_KERNELS(X)                                                                       \
  /* annealing */                                                                                  \
  X(void, seed_signs, (const Chain& chain))                                                        \
  X(void, anneal, (const Chain& chain, const float* slopes, std::int64_t num_sweeps, bool begins)) \
  X(void, descend, (const Chain& chain, bool begins))                                              \
  X(bool, settled, (const Chain& chain))                                                           \
  X(double, chain_energy, (const Chain& chain))                                                    \
  X(double, sign_coherence,                                                                        \
    (const float* rows, std::int64_t num_rows, std::int64_t row_length,                            \
     const std::int64_t* shifts, int num_shifts, std::uint64_t* sign_words))                       \
  X(void, sum_rows,                                                                                \
    (const float* rows, std::int64_t num_rows, std::int64_t stride, float* fields,                 \
     float* squares))                                                                              \
  /* graph */                                                                                      \
  X(void, start_reads, (std::int64_t num_spins, const ReadBlock& block))                           \
  X(void, sweep_reads, (const GraphRows& rows, const ReadBlock& block, const float* slopes))       \
  X(void, sweep_quanta,                                                                            \
    (const QuantaRows& rows, const ReadBlock& block, const std::uint8_t* tables))                  \
  X(int, least_quanta_reads, ())                                                                   \
  X(std::uint64_t, lower_reads, (const GraphRows& rows, const ReadBlock& block))                   \
  X(std::uint64_t, open_reads,                                                                     \
    (const GraphRows& rows, const ReadBlock& block, std::uint64_t* open))                          \
  X(void, read_energies, (const GraphRows& rows, const ReadBlock& block, double* energies))        \
  X(void, given_energies,                                                                          \
    (const GivenCouplings& given, const ReadBlock& block, double* energies))                       \
  X(void, start_one, (std::int64_t num_spins, const OneRead& read))                                \
  X(void, begin_one, (const GraphRows& rows, const OneRead& read))                                 \
  X(void, sweep_one,                                                                               \
    (const GraphRows& rows, const OneRead& read, const float* slopes, std::int64_t num_sweeps))    \
  X(bool, lower_one, (const GraphRows& rows, const OneRead& read))                                 \
  X(bool, open_one,                                                                                \
    (const GraphRows& rows, const OneRead& read, int lane, std::uint64_t* open))                   \
  X(double, one_energy, (const GraphRows& rows, const OneRead& read))                              \
  /* network */                                                                                    \
  X(std::int64_t, local_fields, (const LocalFieldsJob<float>& job))                                \
  X(void, spin_fields, (const LocalFieldsJob<float>& job))                                         \
  X(void, weighted_sums, (const LocalFieldsJob<double>& job))                                      \
  X(void, update, (const UpdateJob& job))                                                          \
  X(void, adam, (const AdamJob& job))                                                              \
  /* energy_model */                                                                               \
  X(void, output_distribution, (const OutputDistributionJob& job))                                 \
  X(void, hidden_means, (const HiddenMeansJob& job))                                               \
  X(void, sigmoid, (const double* x, std::int64_t count, double* out))                             \
  X(void, softplus, (const double* x, std::int64_t count, double* out))                            \
  /* rotor */                                                                                      \
  X(void, place_rotors, (const RotorBlock& block))                                                 \
  X(void, move_rotors,                                                                             \
    (const RotorBlock& block, const RotorSweep* sweeps, std::int64_t num_sweeps))                  \
  /* statevector */                                                                                \
  X(void, energy_row, (const EnergyRowJob& job))                                                   \
  X(double, tangent, (double quarters))

/// Kernels that exist for both floating-point types, as two overloads; Real is float or double.
#define ISINGPROP_REAL_KERNELS(X, Real)                                                            \
  /* annealing */                                                                                  \
  X(double, largest_sum, (const CouplingJob<Real>& job))                                           \
  X(double, round_couplings, (const CouplingJob<Real>& job, double quantum, double scale))         \
  X(void, energies, (const EnergyJob<Real>& job))                                                  \
  /* network */                                                                                    \
  X(void, class_couplings, (const ClassJob<Real>& job))                                            \
  X(void, class_energies, (const ClassJob<Real>& job))                                             \
  X(void, reference_states, (const ReferenceJob<Real>& job))                                       \
  /* statevector */                                                                                \
  X(void, turn, (const AmplitudeJob<Real>& job, double quarters, double scale))                    \
  X(void, rotate, (const RotationJob<Real>& job))
// clang-format on
