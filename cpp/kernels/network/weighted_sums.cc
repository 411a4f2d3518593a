/// Products b + x W of rows of any numbers with a matrix, in double precision.
///
/// Each sum runs over the terms in ascending order and leaves out those in which x is 0. The matrix
/// can be larger than the cache, so that its tiles of columns are the outer loop, and kRowsPerTile
/// rows are the inner one:
///
///     for each group of kRowsPerTile rows
///       list the non-zero numbers of each row
///       for each tile of columns
///         for each row of the group:  sums of that row and tile
#include "kernels/network/field_tiles.h"
#include "kernels/network/local_fields.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Lists the indices of the numbers that are not 0, of either sign, and returns how many there are.
ISINGPROP_INLINE std::int64_t list_nonzero(const double* row, std::int64_t length,
                                           std::int32_t* indices) {
  std::int64_t count = 0;
  for (std::int64_t a = 0; a < length; ++a) {
    indices[count] = static_cast<std::int32_t>(a);
    count += row[a] != 0.0;
  }
  return count;
}

}  // namespace

void weighted_sums(const LocalFieldsJob<double>& job) {
  std::int64_t counts[kRowsPerTile];
  for (std::int64_t begin = 0; begin < job.num_images; begin += kRowsPerTile) {
    const std::int64_t left = job.num_images - begin;
    const std::int64_t num_rows = left < kRowsPerTile ? left : kRowsPerTile;
    const auto row = [&](std::int64_t k) { return job.images + (begin + k) * job.num_inputs; };
    const auto lit = [&](std::int64_t k) { return job.scratch + k * lit_capacity(job.num_inputs); };
    const auto sums = [&](std::int64_t k) { return job.fields + (begin + k) * job.num_hidden; };

    for (std::int64_t k = 0; k < num_rows; ++k) {
      counts[k] = list_nonzero(row(k), job.num_inputs, lit(k));
      if (job.num_hidden < kDoubles) few_fields(job, row(k), lit(k), counts[k], sums(k));
    }
    if (job.num_hidden < kDoubles) continue;

    for_tiles(num_vectors(job), [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
      for (std::int64_t k = 0; k < num_rows; ++k) {
        tile_of_fields<N>(job, row(k), lit(k), counts[k], first, sums(k));
      }
    });
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
