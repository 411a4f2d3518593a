/// Products of one row of numbers with a matrix, in tiles of columns that stay in registers.
///
/// The fields of one image are h = b + sum_a x_a W_a, where W_a is row a of the transposed weights
/// and only lit pixels a take part. A tile of N vectors of fields goes over all lit pixels before
/// the next tile begins, so that its running sums never leave the registers:
///
///     fields of the hidden layer:  [ tile of 8 vectors ][ tile of 8 vectors ][ rest ]
///     W_2 (lit):                        x_2 *                 x_2 *             ...
///     W_4 (lit):                      + x_4 *               + x_4 *             ...
///
/// If num_hidden is not a multiple of the vector's length, the last vector overlaps the one before.
/// Both compute the same sums for the lanes that they share.
#pragma once

#include "kernels/network/local_fields.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

template <class Real>
ISINGPROP_INLINE std::int64_t num_vectors(const LocalFieldsJob<Real>& job) {
  constexpr std::int64_t kLanes = Wide<Real>::kLanes;
  return (job.num_hidden + kLanes - 1) / kLanes;
}

/// Returns the index of the first field of a vector.
template <class Real>
ISINGPROP_INLINE std::int64_t vector_start(std::int64_t vector, std::int64_t num_fields) {
  constexpr std::int64_t kLanes = Wide<Real>::kLanes;
  return vector * kLanes + kLanes <= num_fields ? vector * kLanes : num_fields - kLanes;
}

/// Computes N vectors of the fields of one image, from vector `first` on.
template <int N, class Real>
ISINGPROP_INLINE void tile_of_fields(const LocalFieldsJob<Real>& job, const Real* image,
                                     const std::int32_t* lit, std::int64_t num_lit,
                                     std::int64_t first, Real* fields) {
  using Vec = typename Wide<Real>::Vec;
  Vec sums[N];
  std::int64_t at[N];
  for (int v = 0; v < N; ++v) {
    at[v] = vector_start<Real>(first + v, job.num_hidden);
    sums[v] = load<Vec>(job.hidden_bias + at[v]);
  }

  for (std::int64_t k = 0; k < num_lit; ++k) {
    const Vec pixel = splat(image[lit[k]]);
    const Real* row = job.input_weights + lit[k] * job.num_hidden;
    for (int v = 0; v < N; ++v) sums[v] += pixel * load<Vec>(row + at[v]);
  }

  for (int v = 0; v < N; ++v) store(fields + at[v], sums[v]);
}

/// Computes all fields of one image, for a layer that is shorter than a vector.
template <class Real>
static void few_fields(const LocalFieldsJob<Real>& job, const Real* image, const std::int32_t* lit,
                       std::int64_t num_lit, Real* fields) {
  for (std::int64_t i = 0; i < job.num_hidden; ++i) fields[i] = job.hidden_bias[i];
  for (std::int64_t k = 0; k < num_lit; ++k) {
    const Real* row = job.input_weights + lit[k] * job.num_hidden;
    for (std::int64_t i = 0; i < job.num_hidden; ++i) fields[i] += image[lit[k]] * row[i];
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
