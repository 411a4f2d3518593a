/// Energies E(s, t) = sum_i h_i s_i + sum_a g_a t_a + sum_ia J_ia s_i t_a of given states, in
/// double precision.
///
/// The couplings are read row by row, and each row serves several states. For output spin a, the
/// sum over i of J_ia s_i is taken in order; the products t_a * (that sum), h_i s_i and g_a t_a are
/// added to kLanes partial sums, term k to partial sum k % kLanes:
///
///     output a         0   1  ...  7   8   9  ...
///     partial sum      0   1  ...  7   0   1  ...     E = ((p0 + p4) + (p2 + p6)) + ((p1 + p5) +
///     ...)
///
/// The order does not depend on the width of the registers, and products with a spin are exact, so
/// the bits are the same on every target.
#include "kernels/annealing/energies.h"

#include "simd/load.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// States and vectors of outputs of one tile; the registers hold their product.
constexpr int kStates = 4;
constexpr int kTile = kWidth == 16 ? 6 : 2;
/// Partial sums of a sum over spins, on every target.
constexpr int kLanes = 8;

/// The value of a spin as a double is found at index spin + 1: a broadcast from memory is cheaper
/// than a conversion.
constexpr double kSpinValues[] = {-1.0, 0.0, 1.0};
ISINGPROP_INLINE VecD splat_spin(std::int8_t spin) { return splat(kSpinValues[spin + 1]); }

/// Adds x_i s_i to partial sum i % kLanes, for all i.
template <class Real>
ISINGPROP_INLINE void add_dot(double* sums, const Real* x, const std::int8_t* spins,
                              std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(x[i + lane]) * spins[i + lane];
    }
  }
  for (int lane = 0; i < count; ++i, ++lane) sums[lane] += static_cast<double>(x[i]) * spins[i];
}

/// Returns whether row i has no coupling to outputs [begin, begin + count).
template <class Real>
ISINGPROP_INLINE bool is_zero(const EnergyJob<Real>& job, std::int64_t i, std::int64_t begin,
                              std::int64_t count) {
  if (job.spans == nullptr) return false;
  const RowSpan& span = job.spans[i];
  return span.last * kBlock <= begin || begin + count <= span.first * kBlock;
}

/// Adds t_a sum_i J_ia s_i of kCount states for the `count` outputs from `begin` on, which fill N
/// vectors or, in the last call, less than one.
template <int kCount, int N, class Real>
ISINGPROP_INLINE void add_products(const EnergyJob<Real>& job, const std::int8_t* spins,
                                   std::int64_t begin, std::int64_t count,
                                   double (*totals)[kLanes]) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  VecD sums[kCount][N] = {};
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    if (is_zero(job, i, begin, count)) continue;  // which would change no sum
    const Real* row = job.couplings + i * job.num_output + begin;
    VecD spin[kCount];
    for (int k = 0; k < kCount; ++k) spin[k] = splat_spin(spins[k * num_spins + i]);
    for (int v = 0; v < N; ++v) {
      const VecD couplings = load_first_doubles(row + v * kDoubles, count - v * kDoubles);
      for (int k = 0; k < kCount; ++k) sums[k][v] = add_exact(sums[k][v], spin[k], couplings);
    }
  }

  for (int k = 0; k < kCount; ++k) {
    double fields[N * kDoubles];
    for (int v = 0; v < N; ++v) store(fields + v * kDoubles, sums[k][v]);
    const std::int8_t* output = spins + k * num_spins + job.num_hidden + begin;
    // begin % kLanes is 0, or there are too few outputs to go beyond the last partial sum.
    double* lanes = totals[k] + begin % kLanes;
    if (count >= N * kDoubles) {
      add_dot(lanes, fields, output, N * kDoubles);
    } else {
      for (int a = 0; a < count; ++a) lanes[a] += fields[a] * output[a];
    }
  }
}

/// Computes the energies of kCount states in a row, which share the work of reading the couplings.
template <int kCount, class Real>
void energies_of_some(const EnergyJob<Real>& job, std::int64_t first_state) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  const std::int8_t* spins = job.spins + first_state * num_spins;
  double totals[kCount][kLanes] = {};
  for (int k = 0; k < kCount; ++k) {
    const std::int8_t* state = spins + k * num_spins;
    add_dot(totals[k], job.hidden_fields, state, job.num_hidden);
    add_dot(totals[k], job.output_fields, state + job.num_hidden, job.num_output);
  }

  const std::int64_t whole = job.num_output / kDoubles;
  for_tiles<kTile>(whole, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    add_products<kCount, N>(job, spins, first * kDoubles, N * kDoubles, totals);
  });
  const std::int64_t left = job.num_output - whole * kDoubles;
  if (left > 0) add_products<kCount, 1>(job, spins, whole * kDoubles, left, totals);

  for (int k = 0; k < kCount; ++k) {
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; ++lane) totals[k][lane] += totals[k][lane + half];
    }
    job.energies[first_state + k] = totals[k][0];
  }
}

template <class Real>
void energies_of(const EnergyJob<Real>& job) {
  std::int64_t k = 0;
  for (; job.num_states - k >= kStates; k += kStates) energies_of_some<kStates>(job, k);
  for (; job.num_states - k >= 2; k += 2) energies_of_some<2>(job, k);
  for (; k < job.num_states; ++k) energies_of_some<1>(job, k);
}

}  // namespace

void energies(const EnergyJob<float>& job) { energies_of(job); }
void energies(const EnergyJob<double>& job) { energies_of(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
