/// What the images do to the hidden layer: local fields h = W x + b, and the reference states of Eq. (7).
#include "kernels/pixels.h"
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// The last vector of a row that is not a whole number of them overlaps the one before: each sum is the same in both.
ISINGPROP_INLINE std::int64_t vector_start(std::int64_t vector, std::int64_t length) {
  return vector * kWidth + kWidth <= length ? vector * kWidth : length - kWidth;
}

void fields_of_image(const LocalFieldsJob& job, const float* image, std::int64_t num_lit, float* fields) {
  if (job.num_hidden < kWidth) {
    for (std::int64_t i = 0; i < job.num_hidden; ++i) fields[i] = job.hidden_bias[i];
    for (std::int64_t k = 0; k < num_lit; ++k) {
      const float* row = job.input_weights + job.scratch[k] * job.num_hidden;
      for (std::int64_t i = 0; i < job.num_hidden; ++i) fields[i] += image[job.scratch[k]] * row[i];
    }
    return;
  }
  for_tiles((job.num_hidden + kWidth - 1) / kWidth, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    VecF sums[N];
    std::int64_t at[N];
    for (int v = 0; v < N; ++v) {
      at[v] = vector_start(first + v, job.num_hidden);
      sums[v] = load<VecF>(job.hidden_bias + at[v]);
    }
    for (std::int64_t k = 0; k < num_lit; ++k) {
      const VecF pixel = splat(image[job.scratch[k]]);
      const float* row = job.input_weights + job.scratch[k] * job.num_hidden;
      for (int v = 0; v < N; ++v) sums[v] += pixel * load<VecF>(row + at[v]);
    }
    for (int v = 0; v < N; ++v) store(fields + at[v], sums[v]);
  });
}

/// sum_a J_ia n_a in kBlock partial sums. outputs: n[y] as floats, zero in the padding.
float coupling_field(const float* row, const float* outputs, std::int64_t num_output) {
  VecF sums[kParts] = {};
  for (std::int64_t a = 0; a < num_output; a += kBlock) {
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = a + part * kWidth;
      sums[part] = add_exact(sums[part], load<VecF>(outputs + at), load_first(row + at, num_output - at));
    }
  }
  return sum_of_block(sums);
}

}  // namespace

/// h_i = b_i + sum_a W_ia x_a, summed over a in order, zero pixels left out. Gives -1, or the flat index of the first
/// pixel outside [0, 1].
std::int64_t local_fields(const LocalFieldsJob& job) {
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const float* image = job.images + k * job.num_inputs;
    const std::int64_t bad = bad_pixel(image, job.num_inputs);
    if (bad >= 0) return k * job.num_inputs + bad;
    const std::int64_t num_lit = lit_pixels(image, job.num_inputs, job.scratch);
    fields_of_image(job, image, num_lit, job.fields + k * job.num_hidden);
  }
  return -1;
}

/// The same with spins in place of pixels, -1 or +1: none is left out.
void spin_fields(const LocalFieldsJob& job) {
  for (std::int64_t a = 0; a < job.num_inputs; ++a) job.scratch[a] = static_cast<std::int32_t>(a);
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    fields_of_image(job, job.images + k * job.num_inputs, job.num_inputs, job.fields + k * job.num_hidden);
  }
}

/// The lowest state whose outputs are n[y], Eq. (7): s_i = -sign(sum_a J_ia n_a + b_i + h_i), +1 where that sum is 0.
void reference_states(const ReferenceJob& given) {
  const ReferenceJob job = given;  // so that no store changes it
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t row = 0; row < job.num_images * job.num_references; ++row) {
    const float* own_fields = job.hidden_fields + row / job.num_references * job.num_hidden;
    const std::int8_t* targets = job.targets + row * job.num_output;
    std::int8_t* spins = job.spins + row * num_spins;
    for (std::int64_t a = 0; a < padded(job.num_output); ++a) job.scratch[a] = a < job.num_output ? targets[a] : 0.0f;
    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      const float* couplings = job.couplings + i * job.num_output;
      const float field = own_fields[i] + coupling_field(couplings, job.scratch, job.num_output);
      spins[i] = static_cast<std::int8_t>(1 - 2 * (field > 0.0f));
    }
    for (std::int64_t a = 0; a < job.num_output; ++a) spins[job.num_hidden + a] = targets[a];
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
