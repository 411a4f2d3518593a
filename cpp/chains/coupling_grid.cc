#include "chains/coupling_grid.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// Beyond this, sums of fields could leave the range of double.
constexpr double kLargestSum = 1e300;
/// Above this, the kernel that rounds couplings to one quantum leaves the range of double.
constexpr double kLargestOneQuantum = 0x1p940;
/// The grid is graded where sums of |J|, or fields, exceed the smallest sum by these factors.
constexpr double kLargestRatio = 0x1p10, kLargestFieldRatio = 0x1p60;
/// A coherence counts where its mode exceeds those of random couplings by this factor, and where
/// the estimate is this many times its standard error. It is made from at most kNumShifts pairs a
/// row.
constexpr double kLeastModeRatio = 1.1, kCertain = 6.0;
constexpr int kNumShifts = 8;
/// Smaller problems are not looked at: they are easy, and a few hubs have no modes.
constexpr std::int64_t kLeastRows = 8, kLeastRowLength = 33;
/// Whole numbers up to 2^kFloatBits are exact in a float.
constexpr int kFloatBits = 24;
/// The largest number is at most 2^kUnitBits units.
constexpr int kUnitBits = 23;
/// 2 * 2^(kUnitBits - kMinExponent) is still a double.
constexpr int kMinExponent = -999;
/// The least exponent of a bound of errors: more than float rounds off at its smallest.
constexpr int kMinErrorExponent = -147;

std::size_t length(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Returns the exponent of the power of two that is at least x and at most 2 x.
int exponent_above(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::max(exponent, kMinExponent);
}

/// Returns the exponent of the quantum for sums of up to `num_terms` couplings, whose largest was
/// computed with rounding errors.
///
/// The computed sum is too small by at most num_terms / 2^24 of it, and rounding the couplings
/// lifts it by at most num_terms / 2 quanta. Even then it must stay below 2^24 quanta.
int quantum_exponent(double largest_sum, std::int64_t num_terms) {
  const double error = 2.0 * std::ldexp(static_cast<double>(num_terms), -kFloatBits);
  return exponent_above(largest_sum * (1.0 + error)) - kFloatBits;
}

/// Returns the bound of CouplingGrid::errors() for sums of up to `num_terms` couplings: twice what
/// rounding to the nearest quantum, or to the smallest float, can add up to.
float error_bound(std::int64_t num_terms, int quantum, int unit) {
  const int exponent = std::max(quantum - unit, kMinErrorExponent);
  return static_cast<float>(std::ldexp(static_cast<double>(num_terms), exponent));
}

/// Makes `sizes`, one for each spin of a layer, at least |h| of every problem.
template <class Real>
void include_fields(const Real* fields, std::int64_t rows, std::int64_t num_spins, double* sizes) {
  for (std::int64_t k = 0; k < rows * num_spins; ++k) {
    double& size = sizes[k % num_spins];
    size = std::max(size, std::abs(static_cast<double>(fields[k])));
  }
}

/// Returns the sums of |J| of all spins, hidden first, in double precision.
template <class Real>
std::vector<double> exact_sums(const Problem<Real>& problem) {
  std::vector<double> sums(length(padded(problem.num_hidden) + padded(problem.num_output)));
  double* output_sums = sums.data() + padded(problem.num_hidden);
  for (std::int64_t i = 0; i < problem.num_hidden; ++i) {
    const Real* row = problem.couplings + i * problem.num_output;
    for (std::int64_t a = 0; a < problem.num_output; ++a) {
      const double size = std::abs(static_cast<double>(row[a]));
      sums[length(i)] += size;
      output_sums[a] += size;
    }
  }
  return sums;
}

/// Returns whether all couplings are whole multiples of the quantum. Most arrays are not, which the
/// first coupling shows.
template <class Real>
bool all_on_grid(const CouplingJob<Real>& job, double quantum) {
  const Real* end = job.couplings + job.num_hidden * job.num_output;
  return std::all_of(job.couplings, end, [=](Real coupling) {
    const double quanta = static_cast<double>(coupling) / quantum;
    return quanta == std::nearbyint(quanta);
  });
}

}  // namespace

template <class Real>
CouplingGrid::CouplingGrid(const Problem<Real>& problem)
    : num_hidden_(problem.num_hidden),
      num_output_(problem.num_output),
      spans_(find_spans(problem.couplings, problem.num_hidden, problem.num_output)) {
  const double largest_field = problem.largest_field();
  allocate();
  const auto row_sums = make_zeroed<Real>(length(padded(num_hidden_)));
  const auto column_sums = make_zeroed<Real>(length(padded(num_output_)));
  std::int64_t num_nonzero = 0;
  const CouplingJob<Real> job{.couplings = problem.couplings,
                              .num_hidden = num_hidden_,
                              .num_output = num_output_,
                              .row_sums = row_sums.get(),
                              .column_sums = column_sums.get(),
                              .num_nonzero = &num_nonzero,
                              .hidden_rows = hidden_rows_,
                              .output_rows = output_rows_};
  const double largest = kernels().of<Real>().largest_sum(job);
  is_dense_ = num_nonzero == num_hidden_ * num_output_;

  double smallest = largest;
  for (std::int64_t i = 0; i < num_hidden_; ++i) {
    const auto sum = static_cast<double>(row_sums[length(i)]);
    if (sum > 0.0) smallest = std::min(smallest, sum);
  }
  for (std::int64_t a = 0; a < num_output_; ++a) {
    const auto sum = static_cast<double>(column_sums[length(a)]);
    if (sum > 0.0) smallest = std::min(smallest, sum);
  }

  const bool in_range = std::max(largest, largest_field) <= kLargestOneQuantum;  // false for NaN
  if (!in_range || largest > kLargestRatio * smallest ||
      (smallest > 0.0 && largest_field > kLargestFieldRatio * smallest)) {
    grade(problem, exact_sums(problem));
    return;
  }

  exponent_ = exponent_above(std::max(largest, largest_field)) - kUnitBits;
  const int quantum = quantum_exponent(largest, std::max(num_hidden_, num_output_));
  const double scale = std::ldexp(1.0, -exponent_);
  for (std::int64_t i = 0; i < num_hidden_; ++i) {
    sums_[i] = static_cast<float>(scale * static_cast<double>(row_sums[length(i)]));
  }
  for (std::int64_t a = 0; a < num_output_; ++a) {
    sums_[padded(num_hidden_) + a] =
        static_cast<float>(scale * static_cast<double>(column_sums[length(a)]));
  }

  if (!spans_.rows.empty()) {
    fill_each(problem.couplings,
              std::vector<int>(length(padded(num_hidden_) + padded(num_output_)), quantum));
  } else {
    round_to_one_quantum(job, std::ldexp(1.0, quantum));
    if (is_dense_) coherence_ = estimate_coherence();
  }
}

void CouplingGrid::allocate() {
  std::int64_t hidden_size = num_hidden_ * padded(num_output_);
  std::int64_t output_size = num_output_ * padded(num_hidden_);
  if (!spans_.rows.empty()) {
    hidden_size = end_of(spans_.rows.back());
    output_size = end_of(spans_.columns.back());
  }
  const std::int64_t num_spins = padded(num_hidden_) + padded(num_output_);

  memory_ = make_uninitialized<float>(length(hidden_size + output_size + 4 * num_spins));
  hidden_rows_ = memory_.get();
  output_rows_ = hidden_rows_ + hidden_size;
  hidden_down_ = output_rows_ + output_size;
  output_down_ = hidden_down_ + padded(num_hidden_);
  squares_ = hidden_down_ + num_spins;
  sums_ = squares_ + num_spins;
  errors_ = sums_ + num_spins;
  std::fill_n(squares_, 3 * num_spins, 0.0f);
}

template <class Real>
void CouplingGrid::round_to_one_quantum(const CouplingJob<Real>& job, double quantum) {
  const double scale = std::ldexp(1.0, -exponent_);
  sum_of_squares_ = kernels().of<Real>().round_couplings(job, quantum, scale);
  const std::int64_t hidden = padded(num_hidden_), output = padded(num_output_);
  kernels().sum_rows(output_rows_, num_output_, hidden, hidden_down_, squares_);
  kernels().sum_rows(hidden_rows_, num_hidden_, output, output_down_, squares_ + hidden);
  if (all_on_grid(job, quantum)) return;

  const int exponent = std::ilogb(quantum);
  std::fill_n(errors_, num_hidden_, error_bound(num_output_, exponent, exponent_));
  std::fill_n(errors_ + padded(num_hidden_), num_output_,
              error_bound(num_hidden_, exponent, exponent_));
}

/// Estimates the coherence from the signs of some pairs of rows of the smaller layer. It counts
/// from where it is certain, and where the mode that it stands for is a tenth larger than the
/// largest one of random couplings: couplings J = +-1 of which a part (1 - 2 p) is in step have
/// modes of
///
///     (1 - 2 p) (H O)^(1/2) = c^(1/4) (H O)^(1/2)   and   H^(1/2) + O^(1/2).
double CouplingGrid::estimate_coherence() const {
  const bool by_output = num_output_ <= num_hidden_;
  const std::int64_t num_rows = std::min(num_hidden_, num_output_);
  const std::int64_t row_length = std::max(num_hidden_, num_output_);
  if (num_rows < kLeastRows || row_length < kLeastRowLength) return 0.0;

  std::int64_t shifts[kNumShifts];
  int num_shifts = 0;
  for (int k = 1; k <= kNumShifts; ++k) {
    const std::int64_t shift = (1 + num_rows * k / (kNumShifts + 1)) % num_rows;
    if (shift != 0) shifts[num_shifts++] = shift;
  }
  std::vector<std::uint64_t> words(length(num_rows * num_flip_words(row_length)));
  const double c = kernels().sign_coherence(by_output ? output_rows_ : hidden_rows_, num_rows,
                                            row_length, shifts, num_shifts, words.data());

  const auto rows = static_cast<double>(num_rows), spins = static_cast<double>(row_length);
  const double ratio =
      kLeastModeRatio * (std::sqrt(rows) + std::sqrt(spins)) / std::sqrt(rows * spins);
  const double error = std::sqrt(2.0 / (rows * num_shifts)) / spins;
  return c >= std::max(ratio * ratio * ratio * ratio, kCertain * error) ? std::min(c, 1.0) : 0.0;
}

/// Gives each spin a unit and a quantum of its own; `sums` are its sums of |J|.
template <class Real>
void CouplingGrid::grade(const Problem<Real>& problem, const std::vector<double>& sums) {
  std::vector<double> sizes = sums;
  include_fields(problem.hidden_fields, problem.num_problems, num_hidden_, sizes.data());
  include_fields(problem.output_fields, problem.one_output_row ? 1 : problem.num_problems,
                 num_output_, sizes.data() + padded(num_hidden_));

  // Spins without couplings and fields, and the padding, have the largest unit.
  exponent_ = exponent_above(*std::max_element(sizes.begin(), sizes.end())) - kUnitBits;
  std::vector<int> quanta(sums.size());
  exponents_.assign(sums.size(), exponent_);
  for (std::size_t k = 0; k < sums.size(); ++k) {
    if (!(sums[k] <= kLargestSum)) {
      throw std::invalid_argument("couplings must be finite, with sums of |J| of up to 1e300");
    }
    const bool hidden = static_cast<std::int64_t>(k) < padded(num_hidden_);
    if (sizes[k] > 0.0) exponents_[k] = exponent_above(sizes[k]) - kUnitBits;
    quanta[k] = quantum_exponent(sums[k], hidden ? num_output_ : num_hidden_);
    sums_[k] = static_cast<float>(std::ldexp(sums[k], -exponents_[k]));
  }
  fill_each(problem.couplings, quanta);
}

/// Does one by one what the kernels round_couplings and sum_rows do for whole rows in one
/// unit; `quanta` are the exponents of the quanta of all spins.
template <class Real>
void CouplingGrid::fill_each(const Real* couplings, const std::vector<int>& quanta) {
  std::fill_n(hidden_rows_, squares_ - hidden_rows_, 0.0f);
  const std::int64_t stride = padded(num_output_), column_stride = padded(num_hidden_);
  const RowSpan *rows = hidden_spans(), *columns = output_spans();
  std::vector<bool> moved(quanta.size());

  // Returns the coupling in the units of a spin.
  const auto rounded = [&](double coupling, std::int64_t at) {
    const int quantum = quanta[length(at)];
    const double quanta_of_it = std::nearbyint(std::ldexp(coupling, -quantum));
    const auto in_units = static_cast<float>(std::ldexp(quanta_of_it, quantum - exponent(at)));
    const double result = double{in_units};  // even if it is too small for a float
    moved[length(at)] = moved[length(at)] || std::ldexp(result, exponent(at)) != coupling;
    return result;
  };

  for (std::int64_t i = 0; i < num_hidden_; ++i) {
    const RowSpan whole{.offset = i * stride, .first = 0, .last = stride / kBlock};
    const RowSpan& row = rows == nullptr ? whole : rows[i];
    const std::int64_t end = std::min(row.last * kBlock, num_output_);
    for (std::int64_t a = row.first * kBlock; a < end; ++a) {
      const auto coupling = static_cast<double>(couplings[i * num_output_ + a]);
      if (coupling == 0.0) continue;
      const RowSpan whole_column{.offset = a * column_stride, .first = 0, .last = 0};
      const RowSpan& column = columns == nullptr ? whole_column : columns[a];

      const double of_output = rounded(coupling, padded(num_hidden_) + a);
      const double of_hidden = rounded(coupling, i);
      hidden_rows_[row.offset + a - row.first * kBlock] = static_cast<float>(2.0 * of_output);
      output_rows_[column.offset + i - column.first * kBlock] = static_cast<float>(2.0 * of_hidden);
      hidden_down_[i] -= static_cast<float>(of_hidden);
      output_down_[a] -= static_cast<float>(of_output);
      squares_[i] += static_cast<float>(of_hidden * of_hidden);
      squares_[padded(num_hidden_) + a] += static_cast<float>(of_output * of_output);
      if (!is_graded()) sum_of_squares_ += of_hidden * of_hidden;
    }
  }

  for (std::size_t k = 0; k < quanta.size(); ++k) {
    if (!moved[k]) continue;
    const auto at = static_cast<std::int64_t>(k);
    errors_[k] =
        error_bound(at < column_stride ? num_output_ : num_hidden_, quanta[k], exponent(at));
  }
}

template CouplingGrid::CouplingGrid(const Problem<float>&);
template CouplingGrid::CouplingGrid(const Problem<double>&);

}  // namespace isingprop
