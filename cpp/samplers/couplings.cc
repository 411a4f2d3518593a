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

CouplingSums sums_of(const CouplingJob<float>& job) { return kernels().coupling_sums_f32(job); }
CouplingSums sums_of(const CouplingJob<double>& job) { return kernels().coupling_sums_f64(job); }
void round(const CouplingJob<float>& job, double quantum) { kernels().round_couplings_f32(job, quantum); }
void round(const CouplingJob<double>& job, double quantum) { kernels().round_couplings_f64(job, quantum); }

}  // namespace

template <class Real>
CouplingGrid::CouplingGrid(const Real* couplings, std::int64_t num_hidden, std::int64_t num_output)
    : hidden_rows_(make_aligned<float>(static_cast<std::size_t>(num_hidden * padded(num_output)))),
      output_rows_(make_aligned<float>(static_cast<std::size_t>(num_output * padded(num_hidden)))) {
  const auto column_sums = make_aligned<double>(static_cast<std::size_t>(num_output));
  const CouplingJob<Real> job{couplings,         num_hidden,         num_output,
                              column_sums.get(), hidden_rows_.get(), output_rows_.get()};
  const CouplingSums sums = sums_of(job);
  if (!(sums.squares <= kLargestSum * kLargestSum && sums.largest <= kLargestSum)) {
    throw std::invalid_argument("couplings must be finite, with sums below 1e30");
  }
  sum_of_squares_ = sums.squares;
  int exponent = 0;
  std::frexp(sums.largest, &exponent);
  round(job, std::ldexp(1.0, exponent - kFloatBits));
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
