/// The tangent of an angle, for the rotations of rotate.cc.
#include "kernels/statevector/angles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Returns the tangent of an angle in units of pi / 2, from -1/2 to 1/2:
///
///     quarters = 0.5   ->   tan(pi / 4) = 1
double tangent(double quarters) {
  const Angles<double> angles[] = {reduced(splat(quarters))};
  VecD cosine[1], sine[1];
  cos_sin<double>(angles, cosine, sine);
  return sine[0][0] / cosine[0][0];
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
