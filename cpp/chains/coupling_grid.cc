#include "chains/coupling_grid.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Beyond this, sums of fields could leave the range of float.
constexpr double kLargestSum = 1e30;
constexpr int kFloatBits = 24;
/// The largest number is so many powers of two above the unit.
constexpr int kUnitBits = 23;

/// Rows are held in spans where these are so many times shorter.
constexpr std::int64_t kSparse = 4;

/// 2 * 2^(kUnitBits - kSmallestExponent) is still a double.
constexpr int kSmallestExponent = -999;

double largest_sum(const CouplingJob<float>& job) { return kernels().largest_sum_f32(job); }
double largest_sum(const CouplingJob<double>& job) { return kernels().largest_sum_f64(job); }
double round(const CouplingJob<float>& job, double quantum, double scale) {
  return kernels().round_couplings_f32(job, quantum, scale);
}
double round(const CouplingJob<double>& job, double quantum, double scale) {
  return kernels().round_couplings_f64(job, quantum, scale);
}

std::int64_t end_of(const RowSpan& span) { return span.offset + (span.last - span.first) * kBlock; }

/// From the first to the last number of each row that is not 0, one row after the other in memory.
/// None where rows are to be held whole; of rows without zeros, a quarter is looked at to find that
/// out.
template <class Real>
std::vector<RowSpan> find_row_spans(const Real* couplings, std::int64_t num_rows,
                                    std::int64_t length) {
  std::vector<RowSpan> spans;
  spans.reserve(static_cast<std::size_t>(num_rows));
  std::int64_t offset = 0;
  for (std::int64_t row = 0; row < num_rows; ++row, couplings += length) {
    std::int64_t first = 0, last = length;
    while (last > 0 && couplings[last - 1] == Real{0}) --last;
    while (first < last && couplings[first] == Real{0}) ++first;
    spans.push_back({offset, first / kBlock, padded(last) / kBlock});
    offset = end_of(spans.back());
    if (kSparse * offset > num_rows * padded(length)) return {};
  }
  return spans;
}

/// The same of the columns; of each row, only its span is looked at.
template <class Real>
std::vector<RowSpan> find_column_spans(const Real* couplings, const std::vector<RowSpan>& rows,
                                       std::int64_t length) {
  std::vector<RowSpan> spans(static_cast<std::size_t>(length), RowSpan{0, 0, 0});
  for (std::size_t i = 0; i < rows.size(); ++i, couplings += length) {
    const auto block = static_cast<std::int64_t>(i) / kBlock;
    for (std::int64_t a = rows[i].first * kBlock; a < std::min(rows[i].last * kBlock, length);
         ++a) {
      RowSpan& span = spans[static_cast<std::size_t>(a)];
      if (couplings[a] == Real{0}) continue;
      span = {0, span.last == 0 ? block : span.first, block + 1};
    }
  }
  std::int64_t offset = 0;
  for (RowSpan& span : spans) {
    span.offset = offset;
    offset = end_of(span);
  }
  return spans;
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
    : hidden_spans_(find_row_spans(couplings, num_hidden, num_output)) {
  std::int64_t hidden_size = num_hidden * padded(num_output),
               output_size = num_output * padded(num_hidden);
  const bool sparse = !hidden_spans_.empty();
  if (sparse) {
    output_spans_ = find_column_spans(couplings, hidden_spans_, num_output);
    hidden_size = end_of(hidden_spans_.back());
    output_size = end_of(output_spans_.back());
  }
  const std::int64_t down_size = padded(num_hidden) + padded(num_output);
  memory_ = make_unset<float>(static_cast<std::size_t>(hidden_size + output_size + down_size));
  hidden_rows_ = memory_.get();
  output_rows_ = hidden_rows_ + hidden_size;
  hidden_down_ = output_rows_ + output_size;
  output_down_ = hidden_down_ + padded(num_hidden);
  const auto column_sums = make_aligned<Real>(static_cast<std::size_t>(padded(num_output)));
  const CouplingJob<Real> job{couplings,         num_hidden,   num_output,
                              column_sums.get(), hidden_rows_, output_rows_};
  const double largest = largest_sum(job);
  if (!(largest <= kLargestSum))
    throw std::invalid_argument("couplings must be finite, with sums below 1e30");
  exponent_ = exponent_above(std::max(largest, largest_field)) - kUnitBits;
  // A sum of n couplings is short by at most n / 2^24 of it, and rounding lifts it by at most n / 2
  // quanta; even then it must stay below 2^24 quanta.
  const double terms = static_cast<double>(std::max(num_hidden, num_output));
  const double lifted = largest * (1.0 + 2.0 * std::ldexp(terms, -kFloatBits));
  const double quantum = std::ldexp(1.0, exponent_above(lifted) - kFloatBits);
  const double scale = std::ldexp(1.0, -exponent_);
  if (sparse) {
    round_spans(job, quantum, scale);
    return;
  }
  sum_of_squares_ = round(job, quantum, scale);
  kernels().fields_of_down(output_rows(), num_output, padded(num_hidden), hidden_down_);
  kernels().fields_of_down(hidden_rows(), num_hidden, padded(num_output), output_down_);
}

/// As the kernel round_couplings does, and the fields with all spins of the other layer down with
/// it.
template <class Real>
void CouplingGrid::round_spans(const CouplingJob<Real>& job, double quantum, double scale) {
  std::fill_n(hidden_rows_, hidden_down_ - hidden_rows_, 0.0f);
  std::fill_n(hidden_down_, padded(job.num_hidden) + padded(job.num_output), 0.0f);
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const RowSpan& span = hidden_spans_[static_cast<std::size_t>(i)];
    const std::int64_t end = std::min(span.last * kBlock, job.num_output);
    for (std::int64_t a = span.first * kBlock; a < end; ++a) {
      const double coupling = static_cast<double>(job.couplings[i * job.num_output + a]);
      if (coupling == 0.0) continue;
      const double rounded = scale * quantum * std::nearbyint(coupling / quantum);
      const RowSpan& column = output_spans_[static_cast<std::size_t>(a)];
      hidden_rows_[span.offset + a - span.first * kBlock] = static_cast<float>(2.0 * rounded);
      output_rows_[column.offset + i - column.first * kBlock] = static_cast<float>(2.0 * rounded);
      hidden_down_[i] -= static_cast<float>(rounded);
      output_down_[a] -= static_cast<float>(rounded);
      sum_of_squares_ += rounded * rounded;
    }
  }
}

template CouplingGrid::CouplingGrid(const float*, std::int64_t, std::int64_t, double);
template CouplingGrid::CouplingGrid(const double*, std::int64_t, std::int64_t, double);

}  // namespace isingprop
