/// The learning rule of Eqs. (5) and (6), straight into the parameters.
///
/// With <.> the mean over free reads and <.>^N over nudged ones, each image x adds, divided by the
/// number of images,
///
///     W_ia += rate_W (<s_i> - <s_i>^N) x_a      J_ia += rate_J (<s_i t_a> - <s_i t_a>^N)
///     b_i  += rate_h (<s_i> - <s_i>^N)          b_a  += rate_o (<t_a> - <t_a>^N)
///
/// which raises the energy of the free states and lowers that of the nudged one. Sums over reads
/// are sums of -1 and +1 and so exact; the rest is done in one order on every target. Where free
/// reads have weights w, <.> is the weighted sum and <.>^N the mean times sum w.
#include "kernels/network/pixels.h"
#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// The reads of one image as floats, in rows of padded(num_hidden) + padded(num_output), zero in
/// the padding.
struct Reads {
  const float* spins;
  std::int64_t num_reads;
};

std::int64_t row_length(const UpdateJob& job) {
  return padded(job.num_hidden) + padded(job.num_output);
}

Reads unpack(const UpdateJob& job, const std::int8_t* spins, std::int64_t num_reads, float* to) {
  const Reads reads{to, num_reads};
  for (std::int64_t r = 0; r < num_reads;
       ++r, to += row_length(job), spins += job.num_hidden + job.num_output) {
    for (std::int64_t i = 0; i < job.num_hidden; ++i) to[i] = spins[i];
    float* output = to + padded(job.num_hidden);
    for (std::int64_t a = 0; a < job.num_output; ++a) output[a] = spins[job.num_hidden + a];
  }
  return reads;
}

/// Sums over free reads weigh num_nudged, those over nudged reads -num_free: whole numbers, exact
/// in float, and exactly zero where both phases agree. Divided by the product they are the
/// difference of the means.
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
void sum_spins(const UpdateJob& job, const Reads& free, const Reads& nudged, const Weights& weights,
               float* sums) {
  const std::int64_t length = row_length(job);
  for (std::int64_t at = 0; at < length; at += kWidth) {
    VecF up{}, down{};
    for (std::int64_t r = 0; r < free.num_reads; ++r)
      up += load<VecF>(free.spins + r * length + at);
    for (std::int64_t r = 0; r < nudged.num_reads; ++r)
      down += load<VecF>(nudged.spins + r * length + at);
    store(sums + at, weights.free * up + weights.nudged * down);
  }
}

/// sum_r s_i t_a over reads, for N vectors of outputs from vector `first` on.
template <int N>
ISINGPROP_INLINE void sum_products(const UpdateJob& job, const Reads& reads, std::int64_t i,
                                   std::int64_t first, VecF* sums) {
  const std::int64_t length = row_length(job);
  for (int v = 0; v < N; ++v) sums[v] = VecF{};
  for (std::int64_t r = 0; r < reads.num_reads; ++r) {
    const float* row = reads.spins + r * length;
    const VecF spin = splat(row[i]);
    const float* output = row + padded(job.num_hidden) + first * kWidth;
    for (int v = 0; v < N; ++v) sums[v] = add_exact(sums[v], spin, load<VecF>(output + v * kWidth));
  }
}

/// row_i += scale * change_i. The last vector overlaps the one before where the length is not a
/// whole number of them, so it is worked out before that one is stored.
ISINGPROP_INLINE void add_scaled(float* row, float scale, const float* change,
                                 std::int64_t length) {
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
void add_couplings(const UpdateJob& job, const Reads& free, const Reads& nudged,
                   const Weights& weights) {
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
bool all_nudged(const UpdateJob& job, const std::int8_t* free_spins,
                const std::int8_t* nudged_spins) {
  if (job.num_nudged != 1) return false;
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t r = 0; r < job.num_free; ++r) {
    if (__builtin_memcmp(free_spins + r * num_spins, nudged_spins,
                         static_cast<std::size_t>(num_spins)) != 0) {
      return false;
    }
  }
  return true;
}

/// W_ia += rate x_a (<s_i> - <s_i>^N), dark pixels left out.
void add_input_weights(const UpdateJob& job, const float* image, float rate,
                       const float* hidden_sums) {
  const std::int64_t num_lit = lit_pixels(image, job.num_inputs, job.lit);
  for (std::int64_t k = 0; k < num_lit; ++k) {
    const std::int64_t a = job.lit[k];
    add_scaled(job.input_weights + a * job.num_hidden, rate * image[a], hidden_sums,
               job.num_hidden);
  }
}

void add_image(const UpdateJob& job, const float* image, const std::int8_t* free_spins,
               const std::int8_t* nudged_spins) {
  const Weights weights = weights_of(job);
  float* sums = job.scratch;
  float* unpacked = sums + row_length(job);
  const Reads free = unpack(job, free_spins, job.num_free, unpacked);
  const Reads nudged =
      unpack(job, nudged_spins, job.num_nudged, unpacked + job.num_free * row_length(job));
  sum_spins(job, free, nudged, weights, sums);
  const float* output_sums = sums + padded(job.num_hidden);
  const float hidden_rate = job.rate_hidden_bias * weights.unit,
              output_rate = job.rate_output_bias * weights.unit;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) job.hidden_bias[i] += hidden_rate * sums[i];
  for (std::int64_t a = 0; a < job.num_output; ++a)
    job.output_bias[a] += output_rate * output_sums[a];
  add_couplings(job, free, nudged, weights);
  add_input_weights(job, image, job.rate_input_weights * weights.unit, sums);
}

/// Weighted sums over the reads of one image, in double precision.
struct Sums {
  double* products;  ///< sum w s_i t_a, (num_hidden, padded(num_output))
  double* outputs;   ///< sum w t_a, padded
  double* read;      ///< w t_a of one read, padded
  double* hidden;    ///< sum w s_i
  float* change;     ///< as floats: a row of outputs, then the hidden layer
};

Sums sums_in(const UpdateJob& job) {
  const std::int64_t row = padded(job.num_output);
  double* products = reinterpret_cast<double*>(job.scratch);
  double* outputs = products + job.num_hidden * row;
  double* hidden = outputs + 2 * row;
  return {products, outputs, outputs + row, hidden,
          reinterpret_cast<float*>(hidden + job.num_hidden)};
}

void add_read(const UpdateJob& job, const std::int8_t* spins, double weight, const Sums& sums) {
  const std::int64_t row = padded(job.num_output);
  for (std::int64_t a = 0; a < job.num_output; ++a)
    sums.read[a] = weight * spins[job.num_hidden + a];
  for (std::int64_t a = 0; a < job.num_output; ++a) sums.outputs[a] += sums.read[a];
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    sums.hidden[i] += weight * spins[i];
    const VecD spin = splat(static_cast<double>(spins[i]));
    for (std::int64_t a = 0; a < row; a += kDoubles) {
      double* at = sums.products + i * row + a;
      store(at, add_exact(load<VecD>(at), spin, load<VecD>(sums.read + a)));
    }
  }
}

const float* as_floats(const double* from, std::int64_t count, float* to) {
  for (std::int64_t k = 0; k < count; ++k) to[k] = static_cast<float>(from[k]);
  return to;
}

void add_weighted_image(const UpdateJob& job, const float* image, const std::int8_t* free_spins,
                        const std::int8_t* nudged_spins, const double* weights) {
  const std::int64_t num_spins = job.num_hidden + job.num_output, row = padded(job.num_output);
  const Sums sums = sums_in(job);
  for (double* x = sums.products; x < sums.hidden + job.num_hidden; ++x) *x = 0.0;
  double total = 0.0;
  for (std::int64_t r = 0; r < job.num_free; ++r) {
    if (weights[r] == 0.0) continue;
    total += weights[r];
    add_read(job, free_spins + r * num_spins, weights[r], sums);
  }
  const double share = -total / static_cast<double>(job.num_nudged);
  for (std::int64_t r = 0; r < job.num_nudged; ++r)
    add_read(job, nudged_spins + r * num_spins, share, sums);
  const float unit = 1.0f / static_cast<float>(job.num_images);
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const float* change = as_floats(sums.products + i * row, job.num_output, sums.change);
    add_scaled(job.couplings + i * job.num_output, job.rate_couplings * unit, change,
               job.num_output);
  }
  const float* outputs = as_floats(sums.outputs, job.num_output, sums.change);
  add_scaled(job.output_bias, job.rate_output_bias * unit, outputs, job.num_output);
  const float* hidden = as_floats(sums.hidden, job.num_hidden, sums.change + row);
  add_scaled(job.hidden_bias, job.rate_hidden_bias * unit, hidden, job.num_hidden);
  add_input_weights(job, image, job.rate_input_weights * unit, hidden);
}

}  // namespace

void update(const UpdateJob& job) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const std::int8_t* free_spins = job.free_spins + k * job.num_free * num_spins;
    const std::int8_t* nudged_spins = job.nudged_spins + k * job.num_nudged * num_spins;
    if (all_nudged(job, free_spins, nudged_spins)) continue;
    const float* image = job.images + k * job.num_inputs;
    if (job.free_weights == nullptr) {
      add_image(job, image, free_spins, nudged_spins);
    } else {
      add_weighted_image(job, image, free_spins, nudged_spins, job.free_weights + k * job.num_free);
    }
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
