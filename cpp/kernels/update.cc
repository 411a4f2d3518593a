/// The learning rule of Eqs. (5) and (6), straight into the parameters.
///
/// With <.> the mean over free reads and <.>^N over nudged ones, each image x adds, divided by the number of images,
///
///     W_ia += rate_W (<s_i> - <s_i>^N) x_a      J_ia += rate_J (<s_i t_a> - <s_i t_a>^N)
///     b_i  += rate_h (<s_i> - <s_i>^N)          b_a  += rate_o (<t_a> - <t_a>^N)
///
/// which raises the energy of the free states and lowers that of the nudged one. Sums over reads are sums of -1 and +1
/// and so exact; the rest is done in one order on every target.
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// The reads of one image as floats: spin i of the hidden layer over reads, and the padded outputs of each read.
struct Reads {
  const float* hidden;  ///< (num_hidden, num_reads)
  const float* output;  ///< (num_reads, padded(num_output))
  std::int64_t num_reads;
};

std::int64_t unpacked_floats(const UpdateJob& job, std::int64_t num_reads) {
  return num_reads * (padded(job.num_output) + job.num_hidden);
}

Reads unpack(const UpdateJob& job, const std::int8_t* spins, std::int64_t num_reads, float* scratch) {
  const std::int64_t stride = padded(job.num_output);
  float* output = scratch;
  float* hidden = scratch + num_reads * stride;
  for (std::int64_t r = 0; r < num_reads; ++r, spins += job.num_hidden + job.num_output) {
    for (std::int64_t i = 0; i < job.num_hidden; ++i) hidden[i * num_reads + r] = spins[i];
    for (std::int64_t a = 0; a < stride; ++a) {
      output[r * stride + a] = a < job.num_output ? static_cast<float>(spins[job.num_hidden + a]) : 0.0f;
    }
  }
  return {hidden, output, num_reads};
}

/// <s_i>: every `stride`-th of num_reads floats.
float mean(const float* spins, std::int64_t num_reads, std::int64_t stride) {
  float sum = 0.0f;
  for (std::int64_t r = 0; r < num_reads; ++r) sum += spins[r * stride];
  return sum / static_cast<float>(num_reads);
}

/// <s_i t_a> for N vectors of outputs from `at` on.
template <int N>
ISINGPROP_INLINE void mean_products(const Reads& reads, std::int64_t i, std::int64_t stride, std::int64_t at,
                                    VecF* means) {
  for (int v = 0; v < N; ++v) means[v] = VecF{};
  for (std::int64_t r = 0; r < reads.num_reads; ++r) {
    const VecF spin = splat(reads.hidden[i * reads.num_reads + r]);
    const float* output = reads.output + r * stride + at;
    for (int v = 0; v < N; ++v) means[v] = add_exact(means[v], spin, load<VecF>(output + v * kWidth));
  }
  const VecF count = splat(static_cast<float>(reads.num_reads));
  for (int v = 0; v < N; ++v) means[v] = means[v] / count;
}

/// J_ia += rate (<s_i t_a> - <s_i t_a>^N) for one i.
void add_couplings(const Reads& free, const Reads& nudged, std::int64_t i, float rate, std::int64_t num_output,
                   float* row) {
  const std::int64_t stride = padded(num_output);
  for_tiles(stride / kWidth, [&]<int N>(std::int64_t first) {
    const std::int64_t at = first * kWidth;
    VecF up[N], down[N];
    mean_products<N>(free, i, stride, at, up);
    mean_products<N>(nudged, i, stride, at, down);
    float change[N * kWidth];
    for (int v = 0; v < N; ++v) store(change + v * kWidth, rate * (up[v] - down[v]));
    const std::int64_t count = num_output - at < N * kWidth ? num_output - at : N * kWidth;
    for (std::int64_t a = 0; a < count; ++a) row[at + a] += change[a];
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
void add_input_weights(const UpdateJob& job, const float* image, float rate, const float* hidden_change) {
  const std::int64_t whole = job.num_hidden / kWidth * kWidth;
  for (std::int64_t a = 0; a < job.num_inputs; ++a) {
    if (image[a] == 0.0f) continue;
    const float scale = rate * image[a];
    float* row = job.input_weights + a * job.num_hidden;
    for (std::int64_t i = 0; i < whole; i += kWidth) {
      store(row + i, load<VecF>(row + i) + scale * load<VecF>(hidden_change + i));
    }
    for (std::int64_t i = whole; i < job.num_hidden; ++i) row[i] += scale * hidden_change[i];
  }
}

void add_image(const UpdateJob& job, const float* image, const std::int8_t* free_spins,
               const std::int8_t* nudged_spins) {
  const float share = 1.0f / static_cast<float>(job.num_images);
  float* hidden_change = job.scratch;
  float* unpacked = job.scratch + job.num_hidden;
  const Reads free = unpack(job, free_spins, job.num_free, unpacked);
  const Reads nudged =
      unpack(job, nudged_spins, job.num_nudged, unpacked + unpacked_floats(job, job.num_free));
  const std::int64_t stride = padded(job.num_output);
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    hidden_change[i] = mean(free.hidden + i * free.num_reads, free.num_reads, 1) -
                       mean(nudged.hidden + i * nudged.num_reads, nudged.num_reads, 1);
    job.hidden_bias[i] += share * job.rate_hidden_bias * hidden_change[i];
    add_couplings(free, nudged, i, share * job.rate_couplings, job.num_output,
                  job.couplings + i * job.num_output);
  }
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    const float change =
        mean(free.output + a, free.num_reads, stride) - mean(nudged.output + a, nudged.num_reads, stride);
    job.output_bias[a] += share * job.rate_output_bias * change;
  }
  add_input_weights(job, image, share * job.rate_input_weights, hidden_change);
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
