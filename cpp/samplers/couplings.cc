#include "samplers/couplings.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/dispatch.h"

namespace isingprop {
namespace {

/// Beyond this, sums of fields could leave the range of float.
constexpr double kLargestSum = 1e30;
constexpr int kFloatBits = 24;

/// 2^-kSmallestExponent is still a double.
constexpr int kSmallestExponent = -1000;

double largest_sum(const CouplingJob<float>& job) { return kernels().largest_sum_f32(job); }
double largest_sum(const CouplingJob<double>& job) { return kernels().largest_sum_f64(job); }
double round(const CouplingJob<float>& job, double quantum, double scale) {
  return kernels().round_couplings_f32(job, quantum, scale);
}
double round(const CouplingJob<double>& job, double quantum, double scale) {
  return kernels().round_couplings_f64(job, quantum, scale);
}

/// The power of two above x, which is at least x and at most 2 x.
int exponent_above(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::max(exponent, kSmallestExponent);
}

}  // namespace

template <class Real>
CouplingGrid::CouplingGrid(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output,
                           double largest_field)
    : hidden_rows_(make_aligned<float>(static_cast<std::size_t>(num_hidden * padded(num_output)))),
      output_rows_(make_aligned<float>(static_cast<std::size_t>(num_output * padded(num_hidden)))) {
  const auto column_sums = make_aligned<double>(static_cast<std::size_t>(num_output));
  const CouplingJob<Real> job{couplings,         num_hidden,         num_output,
                              column_sums.get(), hidden_rows_.get(), output_rows_.get()};
  const double largest = largest_sum(job);
  if (!(largest <= kLargestSum)) throw std::invalid_argument("couplings must be finite, with sums below 1e30");
  exponent_ = exponent_above(std::max(largest, largest_field));
  // Rounding lifts a sum of n couplings by at most n / 2 quanta, and even that sum must stay below 2^24 of them.
  const double terms = static_cast<double>(std::max(num_hidden, num_output));
  const double lifted = largest * (1.0 + std::ldexp(terms, -kFloatBits));
  const double quantum = std::ldexp(1.0, exponent_above(lifted) - kFloatBits);
  sum_of_squares_ = round(job, quantum, std::ldexp(1.0, -exponent_));
}

template <class Real>
AlignedArray<Real> pad_couplings(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output) {
  auto rows = make_aligned<Real>(static_cast<std::size_t>(num_hidden * padded(num_output)));
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    std::copy_n(couplings + i * num_output, num_output, rows.get() + i * padded(num_output));
  }
  return rows;
}

template CouplingGrid::CouplingGrid(const float*, std::int64_t, std::int64_t, double);
template CouplingGrid::CouplingGrid(const double*, std::int64_t, std::int64_t, double);
template AlignedArray<float> pad_couplings(const float*, std::int64_t, std::int64_t);
template AlignedArray<double> pad_couplings(const double*, std::int64_t, std::int64_t);

}  // namespace isingprop
