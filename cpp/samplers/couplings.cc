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
/// The largest number is so many powers of two above the unit.
constexpr int kUnitBits = 23;

/// 2^(kUnitBits - kSmallestExponent) is still a double.
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
    : memory_(make_unset<float>(
          static_cast<std::size_t>((num_hidden + 1) * padded(num_output) + (num_output + 1) * padded(num_hidden)))),
      hidden_rows_(memory_.get()),
      output_rows_(hidden_rows_ + num_hidden * padded(num_output)),
      hidden_down_(output_rows_ + num_output * padded(num_hidden)),
      output_down_(hidden_down_ + padded(num_hidden)) {
  const auto column_sums = make_aligned<Real>(static_cast<std::size_t>(padded(num_output)));
  const CouplingJob<Real> job{couplings, num_hidden, num_output, column_sums.get(), hidden_rows_, output_rows_};
  const double largest = largest_sum(job);
  if (!(largest <= kLargestSum)) throw std::invalid_argument("couplings must be finite, with sums below 1e30");
  exponent_ = exponent_above(std::max(largest, largest_field)) - kUnitBits;
  // A sum of n couplings is short by at most n / 2^24 of it, and rounding lifts it by at most n / 2 quanta; even then
  // it must stay below 2^24 quanta.
  const double terms = static_cast<double>(std::max(num_hidden, num_output));
  const double lifted = largest * (1.0 + 2.0 * std::ldexp(terms, -kFloatBits));
  const double quantum = std::ldexp(1.0, exponent_above(lifted) - kFloatBits);
  sum_of_squares_ = round(job, quantum, std::ldexp(1.0, -exponent_));
  kernels().fields_of_down(output_rows(), num_output, padded(num_hidden), hidden_down_);
  kernels().fields_of_down(hidden_rows(), num_hidden, padded(num_output), output_down_);
}

template CouplingGrid::CouplingGrid(const float*, std::int64_t, std::int64_t, double);
template CouplingGrid::CouplingGrid(const double*, std::int64_t, std::int64_t, double);

}  // namespace isingprop
