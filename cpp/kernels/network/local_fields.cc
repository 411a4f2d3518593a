/// Local fields h = W x + b of the hidden layer, one row per image.
///
/// For two pixels x = (0.5, 0), three hidden spins, W x = 0.5 * (first row of the transposed W) and
/// b = (0, 0, 1):
///
///     W^T = (2, -4, 6),   h = (1, -2, 3) + (0, 0, 1) = (1, -2, 4)
///           (7,  7, 7)    a dark pixel: not read
#include "kernels/network/local_fields.h"

#include "kernels/network/field_tiles.h"
#include "kernels/network/pixels.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Computes the fields of one image, whose num_lit lit pixels are listed in job.scratch.
void fields_of_image(const LocalFieldsJob<float>& job, const float* image, std::int64_t num_lit,
                     float* fields) {
  if (job.num_hidden < kWidth) return few_fields(job, image, job.scratch, num_lit, fields);
  for_tiles(num_vectors(job), [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    tile_of_fields<N>(job, image, job.scratch, num_lit, first, fields);
  });
}

}  // namespace

/// Computes h_i = b_i + sum_a W_ia x_a, summed over the lit pixels a in ascending order.
///
/// Returns -1, or the flat index of the first pixel outside [0, 1]; the fields of the images before
/// it are then complete, and no others are written.
std::int64_t local_fields(const LocalFieldsJob<float>& job) {
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const float* image = job.images + k * job.num_inputs;
    const std::int64_t bad = bad_pixel(image, job.num_inputs);
    if (bad >= 0) return k * job.num_inputs + bad;

    const std::int64_t num_lit = lit_pixels(image, job.num_inputs, job.scratch);
    fields_of_image(job, image, num_lit, job.fields + k * job.num_hidden);
  }
  return -1;
}

/// Works like local_fields(), but for spins of -1 or +1 in place of pixels, none of which is left
/// out.
void spin_fields(const LocalFieldsJob<float>& job) {
  for (std::int64_t a = 0; a < job.num_inputs; ++a) job.scratch[a] = static_cast<std::int32_t>(a);
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const float* spins = job.images + k * job.num_inputs;
    fields_of_image(job, spins, job.num_inputs, job.fields + k * job.num_hidden);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
