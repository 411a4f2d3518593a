/// Couplings rounded to a grid on which float arithmetic is exact; see samplers/couplings.h for why.
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Adding and subtracting 1.5 * 2^52 quanta rounds a double to whole quanta.
constexpr double kRounder = 6755399441055744.0;

double total(const double* lanes) {
  double sum = 0.0;
  for (int lane = 0; lane < kBlock; ++lane) sum += lanes[lane];
  return sum;
}

/// Adds |J| to the sums of its row and column and J^2 to the squares, over `count` columns from `at` on.
template <class Real>
ISINGPROP_INLINE void add_sizes(const Real* couplings, int count, double* columns, double* row, double* squares) {
  for (int lane = 0; lane < count; ++lane) {
    const double size = __builtin_fabs(static_cast<double>(couplings[lane]));
    columns[lane] += size;
    row[lane] += size;
    squares[lane] += size * size;
  }
}

template <class Real>
CouplingSums coupling_sums(const CouplingJob<Real>& job) {
  CouplingSums sums{0.0, 0.0};
  double squares[kBlock] = {};
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const Real* couplings = job.couplings + i * job.num_output;
    double row[kBlock] = {};
    std::int64_t a = 0;
    for (; a + kBlock <= job.num_output; a += kBlock) {
      add_sizes(couplings + a, kBlock, job.column_sums + a, row, squares);
    }
    add_sizes(couplings + a, static_cast<int>(job.num_output - a), job.column_sums + a, row, squares);
    const double sum = total(row);
    if (sum > sums.largest) sums.largest = sum;
  }
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    if (job.column_sums[a] > sums.largest) sums.largest = job.column_sums[a];
  }
  sums.squares = total(squares);
  return sums;
}

template <class Real>
void round_couplings(const CouplingJob<Real>& job, double quantum) {
  const double rounder = kRounder * quantum;
  const std::int64_t hidden_stride = padded(job.num_output), output_stride = padded(job.num_hidden);
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const Real* couplings = job.couplings + i * job.num_output;
    float* row = job.hidden_rows + i * hidden_stride;
    for (std::int64_t a = 0; a < job.num_output; ++a) {
      row[a] = static_cast<float>(2.0 * ((static_cast<double>(couplings[a]) + rounder) - rounder));
    }
    for (std::int64_t a = 0; a < job.num_output; ++a) job.output_rows[a * output_stride + i] = row[a];
  }
}

}  // namespace

CouplingSums coupling_sums_f32(const CouplingJob<float>& job) { return coupling_sums(job); }
CouplingSums coupling_sums_f64(const CouplingJob<double>& job) { return coupling_sums(job); }
void round_couplings_f32(const CouplingJob<float>& job, double quantum) { round_couplings(job, quantum); }
void round_couplings_f64(const CouplingJob<double>& job, double quantum) { round_couplings(job, quantum); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
