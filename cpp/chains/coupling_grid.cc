#include "chains/coupling_grid.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Beyond this, sums of fields could leave the range of float.
constexpr double kLargestSum = 1e30;
/// Whole numbers up to 2^kFloatBits are exact in a float.
constexpr int kFloatBits = 24;
/// The largest number is at most 2^kUnitBits units.
constexpr int kUnitBits = 23;
/// 2 * 2^(kUnitBits - kMinExponent) is still a double.
constexpr int kMinExponent = -999;

/// Returns the exponent of the power of two that is at least x and at most 2 x.
int exponent_above(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::max(exponent, kMinExponent);
}

/// Returns the quantum for sums of up to `num_terms` couplings, whose largest was computed with
/// rounding errors.
///
/// The computed sum is too small by at most num_terms / 2^24 of it, and rounding the couplings
/// lifts it by at most num_terms / 2 quanta. Even then it must stay below 2^24 quanta.
double quantum_for(double largest_sum, std::int64_t num_terms) {
  const double error = 2.0 * std::ldexp(static_cast<double>(num_terms), -kFloatBits);
  return std::ldexp(1.0, exponent_above(largest_sum * (1.0 + error)) - kFloatBits);
}

}  // namespace

template <class Real>
CouplingGrid::CouplingGrid(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output,
                           double largest_field)
    : spans_(find_spans(couplings, num_hidden, num_output)) {
  allocate(num_hidden, num_output);
  const auto column_sums = make_zeroed<Real>(static_cast<std::size_t>(padded(num_output)));
  const CouplingJob<Real> job{.couplings = couplings,
                              .num_hidden = num_hidden,
                              .num_output = num_output,
                              .column_sums = column_sums.get(),
                              .hidden_rows = hidden_rows_,
                              .output_rows = output_rows_};

  const double largest = kernels().of<Real>().largest_sum(job);
  if (!(largest <= kLargestSum)) {
    throw std::invalid_argument("couplings must be finite, with sums below 1e30");
  }
  exponent_ = exponent_above(std::max(largest, largest_field)) - kUnitBits;
  const double quantum = quantum_for(largest, std::max(num_hidden, num_output));
  const double scale = std::ldexp(1.0, -exponent_);

  if (!spans_.rows.empty()) {
    fill_spans(job, quantum, scale);
    return;
  }
  sum_of_squares_ = kernels().of<Real>().round_couplings(job, quantum, scale);
  kernels().fields_of_down(output_rows_, num_output, padded(num_hidden), hidden_down_);
  kernels().fields_of_down(hidden_rows_, num_hidden, padded(num_output), output_down_);
}

void CouplingGrid::allocate(std::int64_t num_hidden, std::int64_t num_output) {
  std::int64_t hidden_size = num_hidden * padded(num_output);
  std::int64_t output_size = num_output * padded(num_hidden);
  if (!spans_.rows.empty()) {
    hidden_size = end_of(spans_.rows.back());
    output_size = end_of(spans_.columns.back());
  }
  const std::int64_t down_size = padded(num_hidden) + padded(num_output);

  const std::int64_t size = hidden_size + output_size + down_size;
  memory_ = make_uninitialized<float>(static_cast<std::size_t>(size));
  hidden_rows_ = memory_.get();
  output_rows_ = hidden_rows_ + hidden_size;
  hidden_down_ = output_rows_ + output_size;
  output_down_ = hidden_down_ + padded(num_hidden);
}

/// Does for spans of rows what the kernels round_couplings and fields_of_down do for whole rows.
template <class Real>
void CouplingGrid::fill_spans(const CouplingJob<Real>& job, double quantum, double scale) {
  std::fill_n(hidden_rows_, hidden_down_ - hidden_rows_, 0.0f);
  std::fill_n(hidden_down_, padded(job.num_hidden) + padded(job.num_output), 0.0f);

  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const RowSpan& row = spans_.rows[static_cast<std::size_t>(i)];
    const std::int64_t end = std::min(row.last * kBlock, job.num_output);
    for (std::int64_t a = row.first * kBlock; a < end; ++a) {
      const double coupling = static_cast<double>(job.couplings[i * job.num_output + a]);
      if (coupling == 0.0) continue;
      const double rounded = scale * quantum * std::nearbyint(coupling / quantum);
      const RowSpan& column = spans_.columns[static_cast<std::size_t>(a)];

      const auto twice = static_cast<float>(2.0 * rounded);
      hidden_rows_[row.offset + a - row.first * kBlock] = twice;
      output_rows_[column.offset + i - column.first * kBlock] = twice;
      hidden_down_[i] -= static_cast<float>(rounded);
      output_down_[a] -= static_cast<float>(rounded);
      sum_of_squares_ += rounded * rounded;
    }
  }
}

template CouplingGrid::CouplingGrid(const float*, std::int64_t, std::int64_t, double);
template CouplingGrid::CouplingGrid(const double*, std::int64_t, std::int64_t, double);

}  // namespace isingprop
