/// Couplings rounded to a grid on which float arithmetic is exact; see samplers/couplings.h for
/// why.
#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Adding and subtracting 1.5 * 2^52 quanta rounds a double to whole quanta.
constexpr double kRounder = 6755399441055744.0;
constexpr int kDoubleParts = kBlock / kDoubles;

/// The largest sum of |J| over a row or a column, but for rounding. NaN where a coupling is.
template <class Real>
double largest_sum(const CouplingJob<Real>& job) {
  using Vec = typename Wide<Real>::Vec;
  constexpr int kLanes = Wide<Real>::kLanes;
  Real largest = 0;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const Real* row = job.couplings + i * job.num_output;
    Vec sums[kBlock / kLanes] = {};
    for (std::int64_t a = 0; a < job.num_output; a += kBlock) {
      for (int part = 0; part < kBlock / kLanes; ++part) {
        const std::int64_t at = a + part * kLanes;
        const Vec size = absolute(load_first(row + at, job.num_output - at));
        Real* column = job.column_sums + at;
        store(column, load<Vec>(column) + size);
        sums[part] += size;
      }
    }
    const Real sum = sum_of_block(sums);
    largest = largest >= sum ? largest : sum;
    if (sum != sum) return static_cast<double>(sum);
  }
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    largest = largest >= job.column_sums[a] ? largest : job.column_sums[a];
  }
  return static_cast<double>(largest);
}

/// Four rows of 2 J become four columns of 2 J^T, a square of four by four at a time.
ISINGPROP_INLINE void transpose_rows(const float* rows, std::int64_t stride, float* to,
                                     std::int64_t to_stride, std::int64_t count) {
  for (std::int64_t a = 0; a < count; a += 4) {
    const Quad r0 = load<Quad>(rows + a), r1 = load<Quad>(rows + stride + a);
    const Quad r2 = load<Quad>(rows + 2 * stride + a), r3 = load<Quad>(rows + 3 * stride + a);
    const Quad low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5),
               high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
    const Quad low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5),
               high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    const Quad columns[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                             __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                             __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                             __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
    for (int k = 0; k < 4 && a + k < count; ++k) store(to + (a + k) * to_stride, columns[k]);
  }
}

/// Rounds to whole quanta, multiplies by scale, and gives the sum of squares of what came of it.
template <class Real>
double round_couplings(const CouplingJob<Real>& job, double quantum, double scale) {
  const VecD rounder = splat(kRounder * quantum), twice = splat(2.0 * scale);  // the rows hold 2 J
  const std::int64_t stride = padded(job.num_output), to_stride = padded(job.num_hidden);
  VecD squares[kDoubleParts] = {};
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    float* row = job.hidden_rows + i * stride;
    for (std::int64_t a = 0; a < job.num_output; a += kBlock) {
      for (int part = 0; part < kDoubleParts; ++part) {
        const std::int64_t at = a + part * kDoubles;
        const VecD coupling =
            load_first_doubles(job.couplings + i * job.num_output + at, job.num_output - at);
        const VecD rounded = twice * ((coupling + rounder) - rounder);
        store_floats(row + at, rounded);
        squares[part] += rounded * rounded;
      }
    }
    if (i % 4 == 3)
      transpose_rows(row - 3 * stride, stride, job.output_rows + i - 3, to_stride, job.num_output);
  }
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    for (std::int64_t i = job.num_hidden & -4; i < to_stride; ++i) {
      job.output_rows[a * to_stride + i] =
          i < job.num_hidden ? job.hidden_rows[i * stride + a] : 0.0f;
    }
  }
  return sum_of_block(squares) / 4.0;
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

/// Coupling fields of one layer while all spins of the other one are down: minus half the sum of
/// the other's rows.
void fields_of_down(const float* rows, std::int64_t num_rows, std::int64_t stride, float* fields) {
  for_tiles(stride / kWidth, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    VecF sums[N] = {};
    for (std::int64_t row = 0; row < num_rows; ++row) {
      for (int v = 0; v < N; ++v) sums[v] += load<VecF>(rows + row * stride + (first + v) * kWidth);
    }
    for (int v = 0; v < N; ++v) store(fields + (first + v) * kWidth, -0.5f * sums[v]);
  });
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
