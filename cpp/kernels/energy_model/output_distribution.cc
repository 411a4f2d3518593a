/// Sums over the hidden units of an energy-based model with outputs y,
///
///     P(y | x) ∝ exp(c·y) prod_j (1 + exp(a_j + (W2^T y)_j)),    E[k_j | x, y] = sigma(a_j + (W2^T
///     y)_j).
///
/// Exponentials and logarithms are polynomials in double precision, to 2e-16 or so: those of
/// libraries have other last bits on other machines.
#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr int kVectors = kBlock / kDoubles;
constexpr double kLog2E = 0x1.71547652b82fep0;
constexpr double kLn2High =
    0x1.62e42feep-1;  // 21 zeros at its end: whole multiples up to 2^21 are exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLeast = -708.0;           // exp is 3e-308, the least with all its bits
constexpr double kNever = -1e30;            // a field with which a unit is never 1
constexpr double kRoundToWhole = 0x1.8p52;  // added and taken away
constexpr int kFractionBits = 52;
constexpr std::int64_t kMostFactors = 1000;  // from 1 to 2 each
constexpr std::int64_t kOneBits = 0x3ff0000000000000;

ISINGPROP_INLINE VecL bits_of(VecD x) { return reinterpret_cast<VecL>(x); }
ISINGPROP_INLINE VecD from_bits(VecL x) { return reinterpret_cast<VecD>(x); }
ISINGPROP_INLINE VecD choose(VecL where, VecD yes, VecD no) {
  return from_bits((bits_of(yes) & where) | (bits_of(no) & ~where));
}

/// exp(x) for x <= 0: 2^n exp(r), |r| <= log(2) / 2, by its Taylor series.
ISINGPROP_INLINE VecD exponential(VecD x) {
  constexpr double kFactors[] = {1.0 / 6227020800,
                                 1.0 / 479001600,
                                 1.0 / 39916800,
                                 1.0 / 3628800,
                                 1.0 / 362880,
                                 1.0 / 40320,
                                 1.0 / 5040,
                                 1.0 / 720,
                                 1.0 / 120,
                                 1.0 / 24,
                                 1.0 / 6,
                                 1.0 / 2,
                                 1.0,
                                 1.0};
  x = choose(x < kLeast, splat(kLeast), x);
  const VecD shifted = x * kLog2E + kRoundToWhole;
  const VecD n = shifted - kRoundToWhole;
  const VecD r = (x - n * kLn2High) - n * kLn2Low;
  VecD sum = splat(kFactors[0]);
  for (int k = 1; k < 14; ++k) sum = sum * r + kFactors[k];
  return from_bits(bits_of(sum) + (bits_of(shifted) << kFractionBits));
}

/// log(1 + u) for u in [0, 1]: 2 artanh(s), s = u / (2 + u) <= 1/3, by its series.
ISINGPROP_INLINE VecD log_one_plus(VecD u) {
  const VecD s = u / (u + 2.0);
  const VecD square = s * s;
  VecD sum = splat(1.0 / 33);
  for (int k = 31; k > 0; k -= 2) sum = sum * square + 1.0 / k;
  return (s + s) * sum;
}

/// log(x) for x >= 1.
ISINGPROP_INLINE VecD logarithm(VecD x) {
  const VecL exponent = (bits_of(x) - kOneBits) >> kFractionBits;
  const VecD n = from_bits(exponent + bits_of(splat(kRoundToWhole))) - kRoundToWhole;
  const VecD fraction = from_bits(bits_of(x) - (exponent << kFractionBits));
  return n * kLn2High + (log_one_plus(fraction - 1.0) + n * kLn2Low);
}

/// log(1 + exp(x))
ISINGPROP_INLINE VecD softplus_of(VecD x) {
  return choose(x > 0.0, x, VecD{}) + log_one_plus(exponential(-absolute(x)));
}

/// 1 / (1 + exp(-x))
ISINGPROP_INLINE VecD sigmoid_of(VecD x) {
  const VecD u = exponential(-absolute(x));
  return choose(x < 0.0, u, splat(1.0)) / (u + 1.0);
}

ISINGPROP_INLINE void store_first(double* to, VecD x, std::int64_t there) {
  if (there >= kDoubles) return store(to, x);
  for (std::int64_t k = 0; k < there; ++k) to[k] = x[k];
}

template <class Function>
ISINGPROP_INLINE void for_each(const double* from, std::int64_t count, double* to,
                               const Function& function) {
  for (std::int64_t k = 0; k < count; k += kDoubles) {
    store_first(to + k, function(load_first(from + k, count - k)), count - k);
  }
}

/// (W2^T y)_j, each summed over the outputs in order; kNever in the padding.
void fields_of_outputs(const double* weights, std::int64_t num_hidden, std::int64_t outputs,
                       double* fields) {
  for (std::int64_t j = 0; j < padded(num_hidden); ++j) fields[j] = j < num_hidden ? 0.0 : kNever;
  for (std::int64_t m = 0; outputs >> m != 0; ++m) {
    const double* row = weights + m * num_hidden;
    for (std::int64_t j = 0; (outputs >> m & 1) != 0 && j < num_hidden; ++j) fields[j] += row[j];
  }
}

/// sum_j log(1 + exp(a_j + d_j)) - max(a_j, 0) in kBlock partial sums: of max(a_j + d_j, 0) -
/// max(a_j, 0), unit by unit since large fields are to cancel, and of the logarithm of the product
/// of all 1 + exp(-|a_j + d_j|), taken before it can overflow.
double sum_of_softplus(const double* fields, const double* others, std::int64_t num_hidden) {
  VecD sums[kVectors] = {};
  for (std::int64_t begin = 0; begin < num_hidden; begin += kMostFactors * kBlock) {
    const std::int64_t end =
        begin + kMostFactors * kBlock < num_hidden ? begin + kMostFactors * kBlock : num_hidden;
    VecD products[kVectors];
    for (VecD& product : products) product = splat(1.0);
    for (std::int64_t j = begin; j < end; j += kBlock) {
      for (int part = 0; part < kVectors; ++part) {
        const std::int64_t at = j + part * kDoubles;
        const VecD a = load_first(fields + at, num_hidden - at), d = load<VecD>(others + at);
        const VecD x = a + d;
        sums[part] += choose(x > 0.0, choose(a > 0.0, d, x), choose(a > 0.0, -a, VecD{}));
        products[part] *= exponential(-absolute(x)) + 1.0;
      }
    }
    for (int part = 0; part < kVectors; ++part) sums[part] += logarithm(products[part]);
  }
  return sum_of_block(sums);
}

/// From scores, whose exponentials are to be probabilities, to their logarithms, and those
/// themselves.
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

/// Bit m of an output's number is unit m.
void output_distribution(const OutputDistributionJob& job) {
  const std::int64_t num_patterns = std::int64_t{1} << job.num_output;
  for (std::int64_t y = 0; y < num_patterns; ++y) {
    fields_of_outputs(job.output_weights, job.num_hidden, y, job.scratch);
    double bias = 0.0;
    for (std::int64_t m = 0; m < job.num_output; ++m)
      bias += (y >> m & 1) != 0 ? job.output_bias[m] : 0.0;
    for (std::int64_t b = 0; b < job.num_rows; ++b) {
      const double* fields = job.hidden_fields + b * job.num_hidden;
      job.log_prob[b * num_patterns + y] =
          sum_of_softplus(fields, job.scratch, job.num_hidden) + bias;
    }
  }
  for (std::int64_t b = 0; b < job.num_rows; ++b) {
    normalise(job.log_prob + b * num_patterns, num_patterns, job.probabilities + b * num_patterns);
  }
}

/// hidden_b = sum_y w_by E[k | x_b, y] and output_m += sum_by w_by y_m E[k | x_b, y]; those of
/// weight 0 cost nothing.
void hidden_means(const HiddenMeansJob& given) {
  const HiddenMeansJob job = given;  // so that no store changes it
  const std::int64_t num_patterns = std::int64_t{1} << job.num_output, num_hidden = job.num_hidden;
  double* others = job.scratch;
  double* sums = job.scratch + padded(num_hidden);
  for (std::int64_t k = 0; k < job.num_rows * num_hidden; ++k) job.hidden[k] = 0.0;
  for (std::int64_t y = 0; y < num_patterns; ++y) {
    fields_of_outputs(job.output_weights, num_hidden, y, others);
    for (std::int64_t j = 0; j < padded(num_hidden); ++j) sums[j] = 0.0;
    for (std::int64_t b = 0; b < job.num_rows; ++b) {
      const double weight = job.weights[b * num_patterns + y];
      if (weight == 0.0) continue;
      const double* fields = job.hidden_fields + b * num_hidden;
      double* hidden = job.hidden + b * num_hidden;
      for (std::int64_t j = 0; j < num_hidden; j += kDoubles) {
        const std::int64_t there = num_hidden - j;
        const VecD share =
            weight * sigmoid_of(load_first(fields + j, there) + load<VecD>(others + j));
        store_first(hidden + j, load_first(hidden + j, there) + share, there);
        store(sums + j, load<VecD>(sums + j) + share);
      }
    }
    for (std::int64_t m = 0; m < job.num_output; ++m) {
      double* output = job.output + m * num_hidden;
      for (std::int64_t j = 0; (y >> m & 1) != 0 && j < num_hidden; ++j) output[j] += sums[j];
    }
  }
}

void sigmoid(const double* x, std::int64_t count, double* out) {
  for_each(x, count, out, [](VecD v) __attribute__((always_inline)) { return sigmoid_of(v); });
}

void softplus(const double* x, std::int64_t count, double* out) {
  for_each(x, count, out, [](VecD v) __attribute__((always_inline)) { return softplus_of(v); });
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
