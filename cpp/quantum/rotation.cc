#include "quantum/rotation.h"

#include <cmath>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Returns 1 / sqrt((1 + tangent^2)^power), the power of the angle's cosine.
///
/// It is correct to about one unit in the last place for any power, because the sum of
/// probabilities must stay 1 for millions of steps: the rounding error of each product is carried
/// along in `rest`.
double power_of_cosine(double tangent, int power) {
  const double square = tangent * tangent;
  double base = 1.0 + square;
  const double base_error = square - (base - 1.0) + std::fma(tangent, tangent, -square);

  double product = 1.0, rest = 0.0;
  for (int k = 0; k < power; ++k) {
    const double next = product * base;
    rest = std::fma(product, base, -next) + product * base_error + rest * base;
    product = next;
  }
  return 1.0 / std::sqrt(product + rest);
}

}  // namespace

template <class Real>
Rotation rotation_by(double angle, int num_qubits) {
  const double quarters = angle * kQuartersPerRadian;
  const double halves =
      std::nearbyint(quarters / 2);  // rotations by pi, which only change the sign
  const double rest = quarters - 2 * halves;
  if (rest == 0.0 && halves == 0.0) return {};

  Rotation rotation;
  rotation.times = std::abs(rest) > 0.5 ? 2 : 1;
  rotation.tangent = static_cast<Real>(kernels().tangent(rest / rotation.times));
  rotation.scale = power_of_cosine(rotation.tangent, num_qubits * rotation.times);
  if (num_qubits % 2 != 0 && std::fmod(halves, 2.0) != 0.0) rotation.scale = -rotation.scale;
  return rotation;
}

template Rotation rotation_by<float>(double, int);
template Rotation rotation_by<double>(double, int);

}  // namespace isingprop
