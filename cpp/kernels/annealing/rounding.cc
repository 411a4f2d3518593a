/// Rounding of couplings to a grid on which float arithmetic is exact.
///
/// chains/coupling_grid.h says why and chooses the quantum. A double is rounded to whole quanta by
/// adding and subtracting a number so large that its last bit is one quantum, 1.5 * 2^52 quanta:
///
///     quantum 2^-2, J = 0.3:   0.3 + 1.5 * 2^50  ->  1.5 * 2^50 + 0.25,   - 1.5 * 2^50  ->  0.25
#include "kernels/annealing/rounding.h"

#include "simd/load.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr double kRounder = 0x1.8p52;
constexpr int kDoubleParts = kBlock / kDoubles;
/// Rows and columns of the squares in which a matrix is transposed.
constexpr int kSquare = 4;

template <class Real>
double largest_sum_of(const CouplingJob<Real>& job) {
  using Vec = typename Wide<Real>::Vec;
  constexpr int kLanes = Wide<Real>::kLanes;
  Real largest = 0;
  decltype(Vec{} != Vec{}) counts = {};  // minus the number of couplings that are not 0

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
        counts += size != Vec{};
      }
    }
    const Real sum = sum_of_block(sums);
    job.row_sums[i] = sum;
    largest = largest >= sum ? largest : sum;
    if (sum != sum) return static_cast<double>(sum);
  }

  *job.num_nonzero = 0;
  for (int lane = 0; lane < kLanes; ++lane) *job.num_nonzero -= counts[lane];
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    largest = largest >= job.column_sums[a] ? largest : job.column_sums[a];
  }
  return static_cast<double>(largest);
}

/// Transposes four rows into four columns, a square of four by four numbers at a time.
///
///     r0 = a0 a1 a2 a3      low01  = a0 b0 a1 b1      columns[0] = a0 b0 c0 d0
///     r1 = b0 b1 b2 b3      high01 = a2 b2 a3 b3      columns[1] = a1 b1 c1 d1   and so on
ISINGPROP_INLINE void transpose_rows(const float* rows, std::int64_t stride, float* to,
                                     std::int64_t to_stride, std::int64_t count) {
  for (std::int64_t a = 0; a < count; a += kSquare) {
    const Quad r0 = load<Quad>(rows + a), r1 = load<Quad>(rows + stride + a);
    const Quad r2 = load<Quad>(rows + 2 * stride + a), r3 = load<Quad>(rows + 3 * stride + a);

    const Quad low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
    const Quad high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
    const Quad low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
    const Quad high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    const Quad columns[kSquare] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                                   __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                                   __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                                   __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};

    for (int k = 0; k < kSquare && a + k < count; ++k) store(to + (a + k) * to_stride, columns[k]);
  }
}

/// Fills the columns that are left over after whole groups of four rows, and the padding.
template <class Real>
ISINGPROP_INLINE void transpose_last_rows(const CouplingJob<Real>& job) {
  const std::int64_t stride = padded(job.num_output), to_stride = padded(job.num_hidden);
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    for (std::int64_t i = job.num_hidden & -kSquare; i < to_stride; ++i) {
      job.output_rows[a * to_stride + i] =
          i < job.num_hidden ? job.hidden_rows[i * stride + a] : 0.0f;
    }
  }
}

template <class Real>
double round_couplings_of(const CouplingJob<Real>& job, double quantum, double scale) {
  const VecD rounder = splat(kRounder * quantum), twice = splat(2.0 * scale);  // rows hold 2 J
  const std::int64_t stride = padded(job.num_output), to_stride = padded(job.num_hidden);
  VecD squares[kDoubleParts] = {};

  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const Real* couplings = job.couplings + i * job.num_output;
    float* row = job.hidden_rows + i * stride;
    for (std::int64_t a = 0; a < job.num_output; a += kBlock) {
      for (int part = 0; part < kDoubleParts; ++part) {
        const std::int64_t at = a + part * kDoubles;
        const VecD coupling = load_first_doubles(couplings + at, job.num_output - at);
        const VecD rounded = twice * ((coupling + rounder) - rounder);
        store_floats(row + at, rounded);
        squares[part] += rounded * rounded;
      }
    }
    if (i % kSquare == kSquare - 1) {
      const std::int64_t first = i - (kSquare - 1);
      transpose_rows(job.hidden_rows + first * stride, stride, job.output_rows + first, to_stride,
                     job.num_output);
    }
  }

  transpose_last_rows(job);
  return sum_of_block(squares) / 4.0;  // of J, where the rows hold 2 J
}

}  // namespace

/// Finds the sums of |J| over rows and over columns, correct to rounding, and returns the largest,
/// or NaN where a coupling is NaN.
double largest_sum(const CouplingJob<float>& job) { return largest_sum_of(job); }
double largest_sum(const CouplingJob<double>& job) { return largest_sum_of(job); }

/// Rounds couplings to whole quanta, multiplies them by `scale`, fills both arrays of rows, and
/// returns the sum of squares of the results.
double round_couplings(const CouplingJob<float>& job, double quantum, double scale) {
  return round_couplings_of(job, quantum, scale);
}
double round_couplings(const CouplingJob<double>& job, double quantum, double scale) {
  return round_couplings_of(job, quantum, scale);
}

/// Computes the coupling fields of a layer for the state in which all spins of the other layer are
/// -1, which are minus half the sum of the other layer's rows, which hold 2 J, and the sums of J^2.
///
///     rows = (1, -4), (3, 2)   ->   fields = -0.5 * (1 + 3, -4 + 2) = (-2, 1)
///                                   squares = 0.25 * (1 + 9, 16 + 4) = (2.5, 5)
void sum_rows(const float* rows, std::int64_t num_rows, std::int64_t stride, float* fields,
              float* squares) {
  const auto tile = [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    VecF sums[N] = {}, sums_of_squares[N] = {};
    for (std::int64_t row = 0; row < num_rows; ++row) {
      for (int v = 0; v < N; ++v) {
        const VecF twice = load<VecF>(rows + row * stride + (first + v) * kWidth);
        sums[v] += twice;
        sums_of_squares[v] += twice * twice;
      }
    }
    for (int v = 0; v < N; ++v) {
      store(fields + (first + v) * kWidth, -0.5f * sums[v]);
      store(squares + (first + v) * kWidth, 0.25f * sums_of_squares[v]);
    }
  };
  for_tiles<4>(stride / kWidth, tile);  // two sums of each vector
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
