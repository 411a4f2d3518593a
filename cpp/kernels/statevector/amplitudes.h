/// The amplitudes of a state vector in memory, and the structs that its kernels work on.
///
/// A state of n qubits has 2^n complex amplitudes, stored as (re, im) in the order of their index.
/// Bit k of the index is 1 where qubit k is +1. For three qubits:
///
///     index       0      1      2      3      4      5      6      7
///     qubits 210  000    001    010    011    100    101    110    111
///     memory      re im  re im  re im  re im  re im  re im  re im  re im
///
/// Qubit k pairs the amplitudes a and b whose indices differ in bit k only, 2 * 2^k numbers apart:
///
///     qubit 0:  (0, 1) (2, 3) (4, 5) (6, 7)     qubit 2:  (0, 4) (1, 5) (2, 6) (3, 7)
///
/// Between the kernels, each amplitude is kept times (-i)^(number of ones of its index). A rotation
/// exp(i angle X) of qubit k, which mixes a and b by i sin(angle), then becomes the real rotation
///
///     a' = cos(angle) (a - tan(angle) b),   b' = cos(angle) (b + tan(angle) a),
///
/// in which real and imaginary parts do not meet. The factors cos(angle) of all qubits are left to
/// the next turn, which multiplies every amplitude by a complex number anyway.
#pragma once

#include <cstdint>

namespace isingprop {

/// Amplitudes of one piece of a state vector that are multiplied by scale * exp(-i energy phase).
///
/// The piece is a power of two of amplitudes, at least kBlock. Its rows lie next to each other
/// here, but the energies of consecutive rows can be further apart.
template <class Real>
struct AmplitudeJob {
  Real* amplitudes;  ///< (num_rows, row_length, 2), changed in place
  std::int64_t num_rows, row_length;
  const double* energies;      ///< of the first row
  std::int64_t energy_stride;  ///< from one row of energies to the next
};

/// Amplitudes of one piece whose qubits [first_bit, last_bit) are rotated, without the cosines:
/// a' = a - tangent b, b' = b + tangent a. The first bit is 0, or one that counts whole blocks.
template <class Real>
struct RotationJob {
  Real* amplitudes;  ///< (count, 2), changed in place
  std::int64_t count;
  int first_bit, last_bit;
  double tangent;
};

}  // namespace isingprop
