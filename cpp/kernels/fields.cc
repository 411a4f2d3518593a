/// What the images do to the hidden layer: local fields h = W x + b, and the reference states of Eq. (7).
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Notes which pixels are not zero; about 80 % of an MNIST image is. Gives their number, or -1 - a for the first pixel
/// a that is outside [0, 1] (NaN included).
std::int64_t lit_pixels(const float* image, std::int64_t num_inputs, std::int32_t* lit) {
  std::int64_t count = 0;
  for (std::int64_t a = 0; a < num_inputs; ++a) {
    if (!(image[a] >= 0.0f && image[a] <= 1.0f)) return -1 - a;
    lit[count] = static_cast<std::int32_t>(a);
    count += image[a] != 0.0f;
  }
  return count;
}

void fields_of_image(const LocalFieldsJob& job, const float* image, std::int64_t num_lit, float* fields) {
  const std::int64_t vectors = job.num_hidden / kWidth;
  for_tiles(vectors, [&]<int N>(std::int64_t first) {
    const std::int64_t at = first * kWidth;
    VecF sums[N];
    for (int v = 0; v < N; ++v) sums[v] = load<VecF>(job.hidden_bias + at + v * kWidth);
    for (std::int64_t k = 0; k < num_lit; ++k) {
      const float pixel = image[job.scratch[k]];
      const float* row = job.input_weights + job.scratch[k] * job.num_hidden + at;
      for (int v = 0; v < N; ++v) sums[v] += pixel * load<VecF>(row + v * kWidth);
    }
    for (int v = 0; v < N; ++v) store(fields + at + v * kWidth, sums[v]);
  });
  for (std::int64_t i = vectors * kWidth; i < job.num_hidden; ++i) {
    float sum = job.hidden_bias[i];
    for (std::int64_t k = 0; k < num_lit; ++k) {
      sum += image[job.scratch[k]] * job.input_weights[job.scratch[k] * job.num_hidden + i];
    }
    fields[i] = sum;
  }
}

/// f_i = h_i + sum_a J_ia n_a in kBlock partial sums, the same on every target.
float field_of_row(const float* couplings, float own_field, const std::int8_t* targets, std::int64_t num_output) {
  float sums[kBlock] = {};
  for (std::int64_t a = 0; a < num_output; ++a) sums[a % kBlock] += couplings[a] * static_cast<float>(targets[a]);
  float total = own_field;
  for (int lane = 0; lane < kBlock; ++lane) total += sums[lane];
  return total;
}

}  // namespace

/// h_i = b_i + sum_a W_ia x_a, summed over a in order, zero pixels left out. Gives -1, or the flat index of the first
/// pixel outside [0, 1].
std::int64_t local_fields(const LocalFieldsJob& job) {
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const float* image = job.images + k * job.num_inputs;
    const std::int64_t num_lit = lit_pixels(image, job.num_inputs, job.scratch);
    if (num_lit < 0) return k * job.num_inputs + (-1 - num_lit);
    fields_of_image(job, image, num_lit, job.fields + k * job.num_hidden);
  }
  return -1;
}

/// The lowest state whose outputs are n[y], Eq. (7): s_i = -sign(sum_a J_ia n_a + b_i + h_i), +1 where that sum is 0.
void reference_states(const ReferenceJob& job) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t row = 0; row < job.num_images * job.num_references; ++row) {
    const float* own_fields = job.hidden_fields + row / job.num_references * job.num_hidden;
    const std::int8_t* targets = job.targets + row * job.num_output;
    std::int8_t* spins = job.spins + row * num_spins;
    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      const float field = field_of_row(job.couplings + i * job.num_output, own_fields[i], targets, job.num_output);
      spins[i] = field > 0.0f ? -1 : 1;
    }
    for (std::int64_t a = 0; a < job.num_output; ++a) spins[job.num_hidden + a] = targets[a];
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
