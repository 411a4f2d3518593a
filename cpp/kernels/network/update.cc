/// The learning rule of Eqs. (5) and (6), applied straight to the parameters.
///
/// With <.> the mean over free reads and <.>^N over nudged ones, each image x adds, divided by the
/// number of images,
///
///     W_ia += rate_W (<s_i> - <s_i>^N) x_a      J_ia += rate_J (<s_i t_a> - <s_i t_a>^N)
///     b_i  += rate_h (<s_i> - <s_i>^N)          b_a  += rate_o (<t_a> - <t_a>^N)
///
/// which raises the energy of the free states and lowers that of the nudged ones. A worked example
/// with one image, one spin in each layer, two free reads and one nudged read:
///
///     free (s, t) = (+, +), (+, -)   nudged (-, -)
///     <s> - <s>^N = 1 - (-1) = 2     <t> - <t>^N = 0 + 1 = 1     <s t> - <s t>^N = 0 - 1 = -1
///     W_a += 2 rate_W x_a,   b_i += 2 rate_h,   b_a += rate_o,   J -= rate_J
///
/// In the kernel, the sum over free reads is multiplied by the number of nudged reads, and the sum
/// over nudged reads by minus the number of free reads: in the example 1 * 2 and -2 * (-1), which
/// add up to 4 for s. These are whole numbers, so that sums are exact and cancel exactly where both
/// phases agree. The factor 1 / (num_free * num_nudged * num_images), here 1/2, then turns them
/// into differences of means. Everything else is done in the same order on every target.
///
/// Weighted free reads are in update_weighted.h.
#include "kernels/network/update.h"

#include "kernels/network/update_steps.h"
#include "kernels/network/update_weighted.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// The reads of one image as floats: rows of padded(num_hidden) + padded(num_output) numbers, with
/// zeros in the padding.
struct Reads {
  const float* spins;
  std::int64_t num_reads;
};

std::int64_t row_length(const UpdateJob& job) {
  return padded(job.num_hidden) + padded(job.num_output);
}

/// Converts reads to floats. Scratch is zero at first, and padding is never written.
Reads unpack(const UpdateJob& job, const std::int8_t* spins, std::int64_t num_reads, float* to) {
  const Reads reads{.spins = to, .num_reads = num_reads};
  for (std::int64_t r = 0; r < num_reads; ++r) {
    for (std::int64_t i = 0; i < job.num_hidden; ++i) to[i] = spins[i];
    float* output = to + padded(job.num_hidden);
    for (std::int64_t a = 0; a < job.num_output; ++a) output[a] = spins[job.num_hidden + a];

    to += row_length(job);
    spins += job.num_hidden + job.num_output;
  }
  return reads;
}

/// The factors of the sums over the reads of each phase, and of the result.
struct Factors {
  float free, nudged;
  float unit;  ///< 1 / (num_free * num_nudged * num_images)
};

Factors factors_of(const UpdateJob& job) {
  const float product = static_cast<float>(job.num_free) * static_cast<float>(job.num_nudged);
  return {.free = static_cast<float>(job.num_nudged),
          .nudged = -static_cast<float>(job.num_free),
          .unit = 1.0f / (product * static_cast<float>(job.num_images))};
}

/// Computes the differences of both phases' sums of spins, for both layers in one row.
void sum_spins(const UpdateJob& job, const Reads& free, const Reads& nudged, const Factors& factors,
               float* sums) {
  const std::int64_t length = row_length(job);
  for (std::int64_t at = 0; at < length; at += kWidth) {
    VecF up{}, down{};
    for (std::int64_t r = 0; r < free.num_reads; ++r) {
      up += load<VecF>(free.spins + r * length + at);
    }
    for (std::int64_t r = 0; r < nudged.num_reads; ++r) {
      down += load<VecF>(nudged.spins + r * length + at);
    }
    store(sums + at, factors.free * up + factors.nudged * down);
  }
}

/// Computes sum_r s_i t_a over reads, for N vectors of outputs from vector `first` on.
template <int N>
ISINGPROP_INLINE void sum_products(const UpdateJob& job, const Reads& reads, std::int64_t i,
                                   std::int64_t first, VecF* sums) {
  const std::int64_t length = row_length(job);
  for (int v = 0; v < N; ++v) sums[v] = VecF{};
  for (std::int64_t r = 0; r < reads.num_reads; ++r) {
    const float* row = reads.spins + r * length;
    const VecF spin = splat(row[i]);
    const float* output = row + padded(job.num_hidden) + first * kWidth;
    for (int v = 0; v < N; ++v) {
      sums[v] = add_exact(sums[v], spin, load<VecF>(output + v * kWidth));
    }
  }
}

/// Adds rate (<s_i t_a> - <s_i t_a>^N) to J_ia.
void add_couplings(const UpdateJob& job, const Reads& free, const Reads& nudged,
                   const Factors& factors) {
  const float rate = job.rate_couplings * factors.unit;
  for_tiles(padded(job.num_output) / kWidth, [&]<int N>(std::int64_t first) {
    const std::int64_t at = first * kWidth;
    const std::int64_t left = job.num_output - at;
    const std::int64_t count = left < N * kWidth ? left : N * kWidth;

    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      VecF up[N], down[N];
      sum_products<N>(job, free, i, first, up);
      sum_products<N>(job, nudged, i, first, down);

      float change[N * kWidth];
      for (int v = 0; v < N; ++v) {
        store(change + v * kWidth, rate * (factors.free * up[v] + factors.nudged * down[v]));
      }
      add_scaled(job.couplings + i * job.num_output + at, 1.0f, change, count);
    }
  });
}

/// Returns whether every free read is the one nudged read, so that this image changes nothing.
bool phases_agree(const UpdateJob& job, const std::int8_t* free_spins,
                  const std::int8_t* nudged_spins) {
  if (job.num_nudged != 1) return false;
  const auto num_spins = static_cast<std::size_t>(job.num_hidden + job.num_output);
  for (std::int64_t r = 0; r < job.num_free; ++r) {
    const std::int8_t* read = free_spins + r * (job.num_hidden + job.num_output);
    if (__builtin_memcmp(read, nudged_spins, num_spins) != 0) return false;
  }
  return true;
}

/// Adds the change from one image to all parameters.
void add_image(const UpdateJob& job, const float* image, const std::int8_t* free_spins,
               const std::int8_t* nudged_spins) {
  const Factors factors = factors_of(job);
  float* sums = job.scratch;
  float* unpacked = sums + row_length(job);
  const Reads free = unpack(job, free_spins, job.num_free, unpacked);
  unpacked += job.num_free * row_length(job);
  const Reads nudged = unpack(job, nudged_spins, job.num_nudged, unpacked);
  sum_spins(job, free, nudged, factors, sums);

  const float* output_sums = sums + padded(job.num_hidden);
  const float hidden_rate = job.rate_hidden_bias * factors.unit;
  const float output_rate = job.rate_output_bias * factors.unit;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) job.hidden_bias[i] += hidden_rate * sums[i];
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    job.output_bias[a] += output_rate * output_sums[a];
  }

  add_couplings(job, free, nudged, factors);
  add_input_weights(job, image, job.rate_input_weights * factors.unit, sums);
}

}  // namespace

void update(const UpdateJob& job) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  for (std::int64_t k = 0; k < job.num_images; ++k) {
    const float* image = job.images + k * job.num_inputs;
    const std::int8_t* free_spins = job.free_spins + k * job.num_free * num_spins;
    const std::int8_t* nudged_spins = job.nudged_spins + k * job.num_nudged * num_spins;
    if (phases_agree(job, free_spins, nudged_spins)) continue;

    if (job.free_weights == nullptr) {
      add_image(job, image, free_spins, nudged_spins);
    } else {
      const double* weights = job.free_weights + k * job.num_free;
      add_weighted_image(job, image, free_spins, nudged_spins, weights);
    }
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
