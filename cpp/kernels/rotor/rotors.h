/// A block of reads of a model of rotors, and the strengths of one sweep.
///
/// Rotor i has an angle theta_i in [0, pi]. Its energy in units of kT at sweep t is
///
///     E_t = -a_t sum_i sin(theta_i)
///           + b_t [sum_i (g_t h_i + f_i) cos(theta_i) + sum_ij J_ij cos(theta_i) cos(theta_j)]
#pragma once

#include <cstdint>

namespace isingprop {

/// The floats next to pi and pi / 2. Angles are from 0 to kPi.
inline constexpr float kPi = 0x1.921fb6p1f;
inline constexpr float kHalfPi = kPi / 2;

/// A rotor that another one is coupled to, and the coupling J.
struct RotorNeighbour {
  std::int32_t rotor;
  float coupling;
};

/// Reads of one model. Lane l of every row is read l of the block. There are num_lanes lanes, a
/// multiple of kBlock; those from num_reads on hold finite numbers that mean nothing.
struct RotorBlock {
  std::int64_t num_rotors, num_reads, num_lanes;
  const std::int64_t* first;         ///< (num_rotors + 1) places in `neighbours`
  const RotorNeighbour* neighbours;  ///< those of rotor i are from first[i] up to first[i + 1]
  const float* fields;               ///< (num_rotors,) h
  const float* offsets;              ///< (num_rotors,) f
  float* angles;                     ///< (num_rotors, num_lanes) theta
  float* cosines;                    ///< (num_rotors, num_lanes) cos(theta)
  float* sines;                      ///< (num_rotors, num_lanes) sin(theta)
  std::uint32_t* generators;         ///< (num_lanes / kBlock, kGeneratorWords)
};

/// Energies are compared with logarithms to base 2 in units of 2^-23, so that 1 kT is this much.
inline constexpr double kLogUnitsPerEnergy = 0x1p23 * 1.4426950408889634;

/// The strengths of one sweep, rounded from doubles.
struct RotorSweep {
  float transverse;    ///< a * kLogUnitsPerEnergy
  float longitudinal;  ///< b * kLogUnitsPerEnergy
  float gain;          ///< g
  float step;          ///< w * kPi / 2^31: what one unit of a random number turns a rotor by
};

}  // namespace isingprop
