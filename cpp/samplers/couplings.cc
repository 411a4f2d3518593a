#include "samplers/couplings.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace isingprop {
namespace {

/// Beyond this, sums of fields could leave the range of float.
constexpr double kLargestSum = 1e30;
constexpr int kFloatBits = 24;
/// Adding and subtracting 1.5 * 2^52 quanta rounds a double to whole quanta.
constexpr double kRounder = 6755399441055744.0;

struct Sums {
  double largest = 0.0;  ///< over rows and columns, of |J|
  double squares = 0.0;
};

template <class Real>
Sums sums_of(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output) {
  std::vector<double> columns(static_cast<std::size_t>(num_output), 0.0);
  Sums sums;
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    double row[kBlock] = {}, squares[kBlock] = {};
    for (std::int64_t a = 0; a < num_output; ++a) {
      const double size = std::abs(static_cast<double>(couplings[i * num_output + a]));
      columns[static_cast<std::size_t>(a)] += size;
      row[a % kBlock] += size;
      squares[a % kBlock] += size * size;
    }
    double row_sum = 0.0;
    for (int lane = 0; lane < kBlock; ++lane) row_sum += row[lane];
    for (int lane = 0; lane < kBlock; ++lane) sums.squares += squares[lane];
    sums.largest = std::max(sums.largest, row_sum);
  }
  for (const double column : columns) sums.largest = std::max(sums.largest, column);
  if (!(sums.squares <= kLargestSum * kLargestSum && sums.largest <= kLargestSum)) {
    throw std::invalid_argument("couplings must be finite, with sums below 1e30");
  }
  return sums;
}

}  // namespace

template <class Real>
CouplingGrid::CouplingGrid(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output)
    : hidden_rows_(make_aligned<float>(static_cast<std::size_t>(num_hidden * padded(num_output)))),
      output_rows_(make_aligned<float>(static_cast<std::size_t>(num_output * padded(num_hidden)))) {
  const Sums sums = sums_of(couplings, num_hidden, num_output);
  sum_of_squares_ = sums.squares;
  int exponent = 0;
  std::frexp(sums.largest, &exponent);
  const double rounder = std::ldexp(kRounder, exponent - kFloatBits);
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    for (std::int64_t a = 0; a < num_output; ++a) {
      const double rounded = (static_cast<double>(couplings[i * num_output + a]) + rounder) - rounder;
      const float doubled = static_cast<float>(2.0 * rounded);
      hidden_rows_[static_cast<std::size_t>(i * padded(num_output) + a)] = doubled;
      output_rows_[static_cast<std::size_t>(a * padded(num_hidden) + i)] = doubled;
    }
  }
}

template <class Real>
AlignedArray<Real> pad_couplings(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output) {
  auto rows = make_aligned<Real>(static_cast<std::size_t>(num_hidden * padded(num_output)));
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    std::copy_n(couplings + i * num_output, num_output, rows.get() + i * padded(num_output));
  }
  return rows;
}

template CouplingGrid::CouplingGrid(const float*, std::int64_t, std::int64_t);
template CouplingGrid::CouplingGrid(const double*, std::int64_t, std::int64_t);
template AlignedArray<float> pad_couplings(const float*, std::int64_t, std::int64_t);
template AlignedArray<double> pad_couplings(const double*, std::int64_t, std::int64_t);

}  // namespace isingprop
