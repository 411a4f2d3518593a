/// What the images do to the hidden layer: local fields h = W x + b, and the reference states of
/// Eq. (7).
#include "kernels/network/pixels.h"
#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

template <class Real>
using Vec = typename Wide<Real>::Vec;
template <class Real>
inline constexpr int kLanes = Wide<Real>::kLanes;

/// The last vector of a row that is not a whole number of them overlaps the one before: each sum is
/// the same in both.
template <class Real>
ISINGPROP_INLINE std::int64_t vector_start(std::int64_t vector, std::int64_t length) {
  return vector * kLanes<Real> + kLanes<Real> <= length ? vector * kLanes<Real>
                                                        : length - kLanes<Real>;
}

/// N vectors of an image's fields, from vector `first` on.
template <int N, class Real>
ISINGPROP_INLINE void tile_of_fields(const LocalFieldsJob<Real>& job, const Real* image,
                                     const std::int32_t* lit, std::int64_t num_lit,
                                     std::int64_t first, Real* fields) {
  Vec<Real> sums[N];
  std::int64_t at[N];
  for (int v = 0; v < N; ++v) {
    at[v] = vector_start<Real>(first + v, job.num_hidden);
    sums[v] = load<Vec<Real>>(job.hidden_bias + at[v]);
  }
  for (std::int64_t k = 0; k < num_lit; ++k) {
    const Vec<Real> pixel = splat(image[lit[k]]);
    const Real* row = job.input_weights + lit[k] * job.num_hidden;
    for (int v = 0; v < N; ++v) sums[v] += pixel * load<Vec<Real>>(row + at[v]);
  }
  for (int v = 0; v < N; ++v) store(fields + at[v], sums[v]);
}

/// The same of a layer that is shorter than a vector.
template <class Real>
void few_fields(const LocalFieldsJob<Real>& job, const Real* image, const std::int32_t* lit,
                std::int64_t num_lit, Real* fields) {
  for (std::int64_t i = 0; i < job.num_hidden; ++i) fields[i] = job.hidden_bias[i];
  for (std::int64_t k = 0; k < num_lit; ++k) {
    const Real* row = job.input_weights + lit[k] * job.num_hidden;
    for (std::int64_t i = 0; i < job.num_hidden; ++i) fields[i] += image[lit[k]] * row[i];
  }
}

template <class Real>
ISINGPROP_INLINE std::int64_t num_vectors(const LocalFieldsJob<Real>& job) {
  return (job.num_hidden + kLanes<Real> - 1) / kLanes<Real>;
}

void fields_of_image(const LocalFieldsJob<float>& job, const float* image, std::int64_t num_lit,
                     float* fields) {
  if (job.num_hidden < kWidth) return few_fields(job, image, job.scratch, num_lit, fields);
  for_tiles(num_vectors(job), [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    tile_of_fields<N>(job, image, job.scratch, num_lit, first, fields);
  });
}

/// sum_a J_ia n_a in kBlock partial sums. outputs: n[y] as floats, zero in the padding.
float coupling_field(const float* row, const float* outputs, std::int64_t num_output) {
  VecF sums[kParts] = {};
  for (std::int64_t a = 0; a < num_output; a += kBlock) {
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = a + part * kWidth;
      sums[part] =
          add_exact(sums[part], load<VecF>(outputs + at), load_first(row + at, num_output - at));
    }
  }
  return sum_of_block(sums);
}

}  // namespace

/// h_i = b_i + sum_a W_ia x_a, summed over a in order, zero pixels left out. Gives -1, or the flat
/// index of the first pixel outside [0, 1].
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

/// The same with spins in place of pixels, -1 or +1: none is left out.
void spin_fields(const LocalFieldsJob<float>& job) {
  for (std::int64_t a = 0; a < job.num_inputs; ++a) job.scratch[a] = static_cast<std::int32_t>(a);
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    fields_of_image(job, job.images + k * job.num_inputs, job.num_inputs,
                    job.fields + k * job.num_hidden);
  }
}

/// The same with any numbers in double precision, and columns in tiles that all of some rows are
/// done with first.
void weighted_sums(const LocalFieldsJob<double>& job) {
  std::int64_t counts[kRowsAtOnce];
  for (std::int64_t begin = 0; begin < job.num_images; begin += kRowsAtOnce) {
    const std::int64_t left = job.num_images - begin;
    const std::int64_t num_rows = left < kRowsAtOnce ? left : kRowsAtOnce;
    const auto row = [&](std::int64_t k) { return job.images + (begin + k) * job.num_inputs; };
    const auto lit = [&](std::int64_t k) { return job.scratch + k * lit_room(job.num_inputs); };
    const auto sums = [&](std::int64_t k) { return job.fields + (begin + k) * job.num_hidden; };
    for (std::int64_t k = 0; k < num_rows; ++k) {
      counts[k] = 0;
      for (std::int64_t a = 0; a < job.num_inputs; ++a) {
        lit(k)[counts[k]] = static_cast<std::int32_t>(a);
        counts[k] += row(k)[a] != 0.0;
      }
      if (job.num_hidden < kDoubles) few_fields(job, row(k), lit(k), counts[k], sums(k));
    }
    if (job.num_hidden < kDoubles) continue;
    for_tiles(num_vectors(job), [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
      for (std::int64_t k = 0; k < num_rows; ++k)
        tile_of_fields<N>(job, row(k), lit(k), counts[k], first, sums(k));
    });
  }
}

/// The lowest state whose outputs are n[y], Eq. (7): s_i = -sign(sum_a J_ia n_a + b_i + h_i), +1
/// where that sum is 0.
void reference_states(const ReferenceJob& given) {
  const ReferenceJob job = given;  // so that no store changes it
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t row = 0; row < job.num_images * job.num_references; ++row) {
    const float* own_fields = job.hidden_fields + row / job.num_references * job.num_hidden;
    const std::int8_t* targets = job.targets + row * job.num_output;
    std::int8_t* spins = job.spins + row * num_spins;
    for (std::int64_t a = 0; a < padded(job.num_output); ++a)
      job.scratch[a] = a < job.num_output ? targets[a] : 0.0f;
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
