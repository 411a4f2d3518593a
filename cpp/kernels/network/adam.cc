/// One step of Adam (Kingma & Ba 2015, arXiv:1412.6980), with the gradient's sign turned round:
///
///     m += 0.1 (c - m)    v += 0.001 (c^2 - v)    step = rate m / ((v / (1 - 0.999^t))^(1/2) +
///     1e-8)
///
/// For the first step, t = 1, the rate is 10 times the learning rate: a change c of any size moves
/// its parameter by the learning rate, in the direction of c.
#include "kernels/network/adam.h"

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr float kSmall = 1e-8f;

}  // namespace

void adam(const AdamJob& given) {
  const AdamJob job = given;  // a copy, so that the compiler knows that no store changes it
  std::int64_t k = 0;
  for (; k + kWidth <= job.count; k += kWidth) {
    const VecF change = load<VecF>(job.changes + k);
    VecF mean = load<VecF>(job.means + k), square = load<VecF>(job.squares + k);
    mean += kMeanShare * (change - mean);
    square += kSquareShare * (change * change - square);
    const VecF step = job.rate * mean / (root(square * job.inverse_square) + kSmall);

    store(job.values + k, load<VecF>(job.values + k) + step);
    store(job.changes + k, VecF{});
    store(job.means + k, mean);
    store(job.squares + k, square);
    if (job.drift != nullptr) store(job.drift + k, load<VecF>(job.drift + k) + job.weight * step);
  }

  // The end of the arrays, in copies that are filled up with zeros.
  const std::int64_t left = job.count - k;
  if (left == 0) return;
  float ends[5][kWidth] = {};
  float* const arrays[] = {job.values + k, job.changes + k, job.means + k, job.squares + k,
                           job.drift == nullptr ? nullptr : job.drift + k};
  for (int which = 0; which < 5; ++which) {
    if (arrays[which] == nullptr) continue;
    for (std::int64_t lane = 0; lane < left; ++lane) ends[which][lane] = arrays[which][lane];
  }
  adam({.values = ends[0],
        .changes = ends[1],
        .means = ends[2],
        .squares = ends[3],
        .drift = job.drift == nullptr ? nullptr : ends[4],
        .count = kWidth,
        .rate = job.rate,
        .inverse_square = job.inverse_square,
        .weight = job.weight});
  for (int which = 0; which < 5; ++which) {
    if (arrays[which] == nullptr) continue;
    for (std::int64_t lane = 0; lane < left; ++lane) arrays[which][lane] = ends[which][lane];
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
