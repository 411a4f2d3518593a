/// The learning rule of Eqs. (5) and (6), straight into the parameters.
///
/// With <.> the mean over free reads and <.>^N over nudged ones, each image x adds, divided by the number of images,
///
///     W_ia += rate_W (<s_i> - <s_i>^N) x_a      J_ia += rate_J (<s_i t_a> - <s_i t_a>^N)
///     b_i  += rate_h (<s_i> - <s_i>^N)          b_a  += rate_o (<t_a> - <t_a>^N)
///
/// which raises the energy of the free states and lowers that of the nudged one. Sums over reads are sums of -1 and +1
/// and so exact; the rest is done in one order on every target.
#include "kernels/pixels.h"
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// The reads of one image as floats, in rows of padded(num_hidden) + padded(num_output), zero in the padding.
struct Reads {
  const float* spins;
  std::int64_t num_reads;
};

std::int64_t row_length(const UpdateJob& job) { return padded(job.num_hidden) + padded(job.num_output); }

Reads unpack(const UpdateJob& job, const std::int8_t* spins, std::int64_t num_reads, float* to) {
  const Reads reads{to, num_reads};
  for (std::int64_t r = 0; r < num_reads; ++r, to += row_length(job), spins += job.num_hidden + job.num_output) {
    for (std::int64_t i = 0; i < job.num_hidden; ++i) to[i] = spins[i];
    float* output = to + padded(job.num_hidden);
    for (std::int64_t a = 0; a < job.num_output; ++a) output[a] = spins[job.num_hidden + a];
  }
  return reads;
}

/// Sums over free reads weigh num_nudged, those over nudged reads -num_free: whole numbers, exact in float, and exactly
/// zero where both phases agree. Divided by the product they are the difference of the means.
struct Weights {
  float free, nudged;
  float unit;  ///< 1 / (num_free * num_nudged * num_images)
};

Weights weights_of(const UpdateJob& job) {
  const float product = static_cast<float>(job.num_free) * static_cast<float>(job.num_nudged);
  return {static_cast<float>(job.num_nudged), -static_cast<float>(job.num_free),
          1.0f / (product * static_cast<float>(job.num_images))};
}

/// Weighted sums of the spins of both layers, in one row.
void sum_spins(const UpdateJob& job, const Reads& free, const Reads& nudged, const Weights& weights, float* sums) {
  const std::int64_t length = row_length(job);
  for (std::int64_t at = 0; at < length; at += kWidth) {
    VecF up{}, down{};
    for (std::int64_t r = 0; r < free.num_reads; ++r) up += load<VecF>(free.spins + r * length + at);
    for (std::int64_t r = 0; r < nudged.num_reads; ++r) down += load<VecF>(nudged.spins + r * length + at);
    store(sums + at, weights.free * up + weights.nudged * down);
  }
}

/// sum_r s_i t_a over reads, for N vectors of outputs from vector `first` on.
template <int N>
ISINGPROP_INLINE void sum_products(const UpdateJob& job, const Reads& reads, std::int64_t i, std::int64_t first,
                                   VecF* sums) {
  const std::int64_t length = row_length(job);
  for (int v = 0; v < N; ++v) sums[v] = VecF{};
  for (std::int64_t r = 0; r < reads.num_reads; ++r) {
    const float* row = reads.spins + r * length;
    const VecF spin = splat(row[i]);
    const float* output = row + padded(job.num_hidden) + first * kWidth;
    for (int v = 0; v < N; ++v) sums[v] = add_exact(sums[v], spin, load<VecF>(output + v * kWidth));
  }
}

/// row_i += scale * change_i. The last vector overlaps the one before where the length is not a whole number of them,
/// so it is worked out before that one is stored.
ISINGPROP_INLINE void add_scaled(float* row, float scale, const float* change, std::int64_t length) {
  if (length < kWidth) {
    for (std::int64_t i = 0; i < length; ++i) row[i] += scale * change[i];
    return;
  }
  const std::int64_t last = length - kWidth;
  const VecF end = load<VecF>(row + last) + scale * load<VecF>(change + last);
  for (std::int64_t i = 0; i < last; i += kWidth) {
    store(row + i, load<VecF>(row + i) + scale * load<VecF>(change + i));
  }
  store(row + last, end);
}

/// J_ia += rate (<s_i t_a> - <s_i t_a>^N)
void add_couplings(const UpdateJob& job, const Reads& free, const Reads& nudged, const Weights& weights) {
  const float rate = job.rate_couplings * weights.unit;
  for_tiles(padded(job.num_output) / kWidth, [&]<int N>(std::int64_t first) {
    const std::int64_t at = first * kWidth;
    const std::int64_t count = job.num_output - at < N * kWidth ? job.num_output - at : N * kWidth;
    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      VecF up[N], down[N];
      sum_products<N>(job, free, i, first, up);
      sum_products<N>(job, nudged, i, first, down);
      float change[N * kWidth];
      for (int v = 0; v < N; ++v) {
        store(change + v * kWidth, rate * (weights.free * up[v] + weights.nudged * down[v]));
      }
      add_scaled(job.couplings + i * job.num_output + at, 1.0f, change, count);
    }
  });
}

/// True where every free read is the one nudged state: nothing is left to learn from this image.
bool all_nudged(const UpdateJob& job, const std::int8_t* free_spins, const std::int8_t* nudged_spins) {
  if (job.num_nudged != 1) return false;
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t r = 0; r < job.num_free; ++r) {
    if (__builtin_memcmp(free_spins + r * num_spins, nudged_spins, static_cast<std::size_t>(num_spins)) != 0) {
      return false;
    }
  }
  return true;
}

/// W_ia += rate x_a (<s_i> - <s_i>^N), dark pixels left out.
void add_input_weights(const UpdateJob& job, const float* image, float rate, const float* hidden_sums) {
  const std::int64_t num_lit = lit_pixels(image, job.num_inputs, job.lit);
  for (std::int64_t k = 0; k < num_lit; ++k) {
    const std::int64_t a = job.lit[k];
    add_scaled(job.input_weights + a * job.num_hidden, rate * image[a], hidden_sums, job.num_hidden);
  }
}

void add_image(const UpdateJob& job, const float* image, const std::int8_t* free_spins,
               const std::int8_t* nudged_spins) {
  const Weights weights = weights_of(job);
  float* sums = job.scratch;
  float* unpacked = sums + row_length(job);
  const Reads free = unpack(job, free_spins, job.num_free, unpacked);
  const Reads nudged = unpack(job, nudged_spins, job.num_nudged, unpacked + job.num_free * row_length(job));
  sum_spins(job, free, nudged, weights, sums);
  const float* output_sums = sums + padded(job.num_hidden);
  const float hidden_rate = job.rate_hidden_bias * weights.unit, output_rate = job.rate_output_bias * weights.unit;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) job.hidden_bias[i] += hidden_rate * sums[i];
  for (std::int64_t a = 0; a < job.num_output; ++a) job.output_bias[a] += output_rate * output_sums[a];
  add_couplings(job, free, nudged, weights);
  add_input_weights(job, image, job.rate_input_weights * weights.unit, sums);
}

}  // namespace

void update(const UpdateJob& job) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const std::int8_t* free_spins = job.free_spins + k * job.num_free * num_spins;
    const std::int8_t* nudged_spins = job.nudged_spins + k * job.num_nudged * num_spins;
    if (all_nudged(job, free_spins, nudged_spins)) continue;
    add_image(job, job.images + k * job.num_inputs, free_spins, nudged_spins);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
