/// The distribution of all output patterns y of an energy-based model, with hidden units summed
/// out:
///
///     P(y | x) ∝ exp(c·y) prod_j (1 + exp(a_j + d_j)),   a = W1 x + b,   d = W2^T y.
///
/// The score of a pattern is computed as c·y + sum_j [log(1 + exp(a_j + d_j)) - max(a_j, 0)]. The
/// subtracted terms do not depend on y, and keep large fields from drowning small differences. For
/// one hidden unit with a = 1, one output with W2 = 2 and c = 0:
///
///     score(y = 0) = log(1 + e) - 1 = 0.3133       P(1 | x) = e^2.0486 / (e^2.0486 + e^0.3133)
///     score(y = 1) = log(1 + e^3) - 1 = 2.0486              = 0.8501
#include "kernels/energy_model/output_distribution.h"

#include "kernels/energy_model/pattern_fields.h"
#include "kernels/energy_model/vector_math.h"
#include "simd/load.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr int kVectors = kBlock / kDoubles;
/// Factors of a product: each is between 1 and 2, and 2^1000 is still a double.
constexpr std::int64_t kMaxFactors = 1000;

/// Returns sum_j log(1 + exp(a_j + d_j)) - max(a_j, 0), in kBlock partial sums.
///
/// log(1 + exp(x)) is max(x, 0) + log(1 + exp(-|x|)). The differences max(a_j + d_j, 0) - max(a_j,
/// 0) are taken unit by unit, so that large fields cancel; the logarithms are taken together, as
/// one logarithm of the product of up to kMaxFactors factors.
double sum_of_softplus(const double* fields, const double* pattern_fields,
                       std::int64_t num_hidden) {
  VecD sums[kVectors] = {};
  for (std::int64_t begin = 0; begin < num_hidden; begin += kMaxFactors * kBlock) {
    const std::int64_t limit = begin + kMaxFactors * kBlock;
    const std::int64_t end = limit < num_hidden ? limit : num_hidden;
    VecD products[kVectors];
    for (VecD& product : products) product = splat(1.0);

    for (std::int64_t j = begin; j < end; j += kBlock) {
      for (int part = 0; part < kVectors; ++part) {
        const std::int64_t at = j + part * kDoubles;
        const VecD a = load_first(fields + at, num_hidden - at);
        const VecD d = load<VecD>(pattern_fields + at);
        const VecD x = a + d;
        sums[part] += choose(x > 0.0, choose(a > 0.0, d, x), choose(a > 0.0, -a, VecD{}));
        products[part] *= exponential(-absolute(x)) + 1.0;
      }
    }

    for (int part = 0; part < kVectors; ++part) sums[part] += logarithm(products[part]);
  }
  return sum_of_block(sums);
}

/// Replaces scores by the logarithms of the probabilities that are proportional to their
/// exponentials, and writes the probabilities themselves.
void normalise(double* scores, std::int64_t count, double* probabilities) {
  double largest = scores[0];
  for (std::int64_t k = 1; k < count; ++k) largest = scores[k] > largest ? scores[k] : largest;
  for (std::int64_t k = 0; k < count; ++k) scores[k] -= largest;

  const auto exp_of = [](VecD x) __attribute__((always_inline)) { return exponential(x); };
  for_each(scores, count, probabilities, exp_of);
  double sum = 0.0;
  for (std::int64_t k = 0; k < count; ++k) sum += probabilities[k];

  const double log_of_sum = logarithm(splat(sum))[0];
  for (std::int64_t k = 0; k < count; ++k) {
    scores[k] -= log_of_sum;
    probabilities[k] /= sum;
  }
}

}  // namespace

void output_distribution(const OutputDistributionJob& job) {
  const std::int64_t num_patterns = std::int64_t{1} << job.num_output;
  for (std::int64_t y = 0; y < num_patterns; ++y) {
    fields_of_pattern(job.output_weights, job.num_hidden, y, job.scratch);
    double bias = 0.0;
    for (std::int64_t m = 0; m < job.num_output; ++m) {
      bias += is_on(y, m) ? job.output_bias[m] : 0.0;
    }
    for (std::int64_t b = 0; b < job.num_rows; ++b) {
      const double* fields = job.hidden_fields + b * job.num_hidden;
      const double sum = sum_of_softplus(fields, job.scratch, job.num_hidden);
      job.log_prob[b * num_patterns + y] = sum + bias;
    }
  }

  for (std::int64_t b = 0; b < job.num_rows; ++b) {
    double* scores = job.log_prob + b * num_patterns;
    normalise(scores, num_patterns, job.probabilities + b * num_patterns);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
