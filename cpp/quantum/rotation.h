/// The rotation exp(i angle X) of every qubit, split into steps that the kernels can do.
#pragma once

namespace isingprop {

/// `times` rotations of every qubit by the same tangent, which is at most 1 in size, each without
/// its factor of the cosine. The next turn multiplies all amplitudes by `scale`, the product of
/// these factors over all qubits.
///
///     angle 0.3         one rotation by tan(0.3)
///     angle 1.2         two rotations by tan(0.6), because tan(1.2) = 2.6 is above 1
///     angle pi + 0.3    one rotation by tan(0.3), with the sign of scale changed for an odd number
///                       of qubits
struct Rotation {
  double tangent = 0.0;
  int times = 0;
  double scale = 1.0;
};

/// Returns the rotation by an angle of num_qubits qubits whose amplitudes are of type Real, to
/// which the tangent is rounded.
template <class Real>
Rotation rotation_by(double angle, int num_qubits);

/// Angles of the kernels are in quarters of a turn, units of pi / 2.
inline constexpr double kQuartersPerRadian = 0.63661977236758134308;  // 2 / pi

}  // namespace isingprop
