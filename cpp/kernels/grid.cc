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

/// Adds |J| to the sums of its row and column, over `count` columns.
template <class Real>
ISINGPROP_INLINE void add_sizes(const Real* couplings, int count, double* columns, double* row) {
  for (int lane = 0; lane < count; ++lane) {
    const double size = __builtin_fabs(static_cast<double>(couplings[lane]));
    columns[lane] += size;
    row[lane] += size;
  }
}

/// The largest sum of |J| over a row or a column. NaN where a coupling is.
template <class Real>
double largest_sum(const CouplingJob<Real>& job) {
  double largest = 0.0;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const Real* couplings = job.couplings + i * job.num_output;
    double row[kBlock] = {};
    std::int64_t a = 0;
    for (; a + kBlock <= job.num_output; a += kBlock) add_sizes(couplings + a, kBlock, job.column_sums + a, row);
    add_sizes(couplings + a, static_cast<int>(job.num_output - a), job.column_sums + a, row);
    const double sum = total(row);
    largest = largest >= sum ? largest : sum;
    if (sum != sum) return sum;
  }
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    largest = largest >= job.column_sums[a] ? largest : job.column_sums[a];
  }
  return largest;
}

/// Rounds to whole quanta, multiplies by scale, and gives the sum of squares of what came of it.
template <class Real>
double round_couplings(const CouplingJob<Real>& job, double quantum, double scale) {
  const double rounder = kRounder * quantum;
  const std::int64_t hidden_stride = padded(job.num_output), output_stride = padded(job.num_hidden);
  double squares[kBlock] = {};
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const Real* couplings = job.couplings + i * job.num_output;
    float* row = job.hidden_rows + i * hidden_stride;
    for (std::int64_t a = 0; a < job.num_output; ++a) {
      const double rounded = (static_cast<double>(couplings[a]) + rounder) - rounder;
      row[a] = static_cast<float>(2.0 * scale * rounded);
    }
    for (std::int64_t a = 0; a < hidden_stride; a += kBlock) {
      for (int lane = 0; lane < kBlock; ++lane) {
        squares[lane] += static_cast<double>(row[a + lane]) * static_cast<double>(row[a + lane]);
      }
    }
    for (std::int64_t a = 0; a < job.num_output; ++a) job.output_rows[a * output_stride + i] = row[a];
  }
  return total(squares) / 4.0;  // the rows hold 2 J
}

}  // namespace

double largest_sum_f32(const CouplingJob<float>& job) { return largest_sum(job); }
double largest_sum_f64(const CouplingJob<double>& job) { return largest_sum(job); }
double round_couplings_f32(const CouplingJob<float>& job, double quantum, double scale) {
  return round_couplings(job, quantum, scale);
}
double round_couplings_f64(const CouplingJob<double>& job, double quantum, double scale) {
  return round_couplings(job, quantum, scale);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
