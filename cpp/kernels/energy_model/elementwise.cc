/// The logistic function and softplus of arrays of numbers.
///
///     x          -1        0        1
///     sigmoid    0.2689    0.5      0.7311
///     softplus   0.3133    0.6931   1.3133
#include "kernels/energy_model/vector_math.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

void sigmoid(const double* x, std::int64_t count, double* out) {
  for_each(x, count, out, [](VecD v) __attribute__((always_inline)) { return sigmoid_of(v); });
}

void softplus(const double* x, std::int64_t count, double* out) {
  for_each(x, count, out, [](VecD v) __attribute__((always_inline)) { return softplus_of(v); });
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
