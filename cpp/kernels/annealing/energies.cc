/// Energies E(s, t) = sum_i h_i s_i + sum_a g_a t_a + sum_ia J_ia s_i t_a, of given states in
/// double precision and of a chain as it stands.
///
/// For each output spin a the sum over i runs in order, so the bits do not depend on the width of
/// the registers; a product with a spin is exact, so neither do they depend on whether it is fused
/// with the addition.
#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// States at a time, and vectors at a time: their product is what the registers hold.
constexpr int kStates = 4;
constexpr int kTile = kWidth == 16 ? 6 : 2;
/// Partial sums of a sum over spins, on every target.
constexpr int kLanes = 8;

/// Spin + 1 picks its value as a double: a broadcast from memory is cheaper than a conversion.
constexpr double kSpinValues[] = {-1.0, 0.0, 1.0};
ISINGPROP_INLINE VecD splat_spin(std::int8_t spin) { return splat(kSpinValues[spin + 1]); }

/// Adds x_i s_i to lane i % kLanes of the sums, beginning at lane 0.
template <class Real>
ISINGPROP_INLINE void add_dot(double* sums, const Real* x, const std::int8_t* spins,
                              std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane)
      sums[lane] += static_cast<double>(x[i + lane]) * spins[i + lane];
  }
  for (int lane = 0; i < count; ++i, ++lane) sums[lane] += static_cast<double>(x[i]) * spins[i];
}

/// Adds t_a sum_i J_ia s_i of States states for N vectors of outputs from output `begin` on; the
/// last one of them may have only `left` outputs.
template <int States, int N, class Real>
ISINGPROP_INLINE void add_products(const EnergyJob<Real>& job, const std::int8_t* spins,
                                   std::int64_t begin, std::int64_t left,
                                   double (*totals)[kLanes]) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  VecD sums[States][N] = {};
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    if (job.spans != nullptr &&
        (job.spans[i].last * kBlock <= begin || begin + left <= job.spans[i].first * kBlock)) {
      continue;  // zeros, which change no sum
    }
    const Real* row = job.couplings + i * job.num_output + begin;
    VecD spin[States];
    for (int k = 0; k < States; ++k) spin[k] = splat_spin(spins[k * num_spins + i]);
    for (int v = 0; v < N; ++v) {
      const VecD couplings = load_first_doubles(row + v * kDoubles, left - v * kDoubles);
      for (int k = 0; k < States; ++k) sums[k][v] = add_exact(sums[k][v], spin[k], couplings);
    }
  }
  for (int k = 0; k < States; ++k) {
    double fields[N * kDoubles];
    for (int v = 0; v < N; ++v) store(fields + v * kDoubles, sums[k][v]);
    const std::int8_t* output = spins + k * num_spins + job.num_hidden + begin;
    double* lanes =
        totals[k] + begin % kLanes;  // where not 0, what follows fits into the lanes that are left
    if (left >= N * kDoubles) {
      add_dot(lanes, fields, output, N * kDoubles);
    } else {
      for (int a = 0; a < left; ++a) lanes[a] += fields[a] * output[a];
    }
  }
}

/// Energies of States states in a row, which share the work of reading the couplings.
template <int States, class Real>
void energies_of(const EnergyJob<Real>& job, std::int64_t first_state) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  const std::int8_t* spins = job.spins + first_state * num_spins;
  double totals[States][kLanes] = {};
  for (int k = 0; k < States; ++k) {
    add_dot(totals[k], job.hidden_fields, spins + k * num_spins, job.num_hidden);
    add_dot(totals[k], job.output_fields, spins + k * num_spins + job.num_hidden, job.num_output);
  }
  const std::int64_t whole = job.num_output / kDoubles;
  for_tiles<kTile>(whole, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    add_products<States, N>(job, spins, first * kDoubles, N * kDoubles, totals);
  });
  const std::int64_t left = job.num_output - whole * kDoubles;
  if (left > 0) add_products<States, 1>(job, spins, whole * kDoubles, left, totals);
  for (int k = 0; k < States; ++k) {
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; ++lane) totals[k][lane] += totals[k][lane + half];
    }
    job.energies[first_state + k] = totals[k][0];
  }
}

template <class Real>
void energies(const EnergyJob<Real>& job) {
  std::int64_t k = 0;
  for (; job.num_states - k >= kStates; k += kStates) energies_of<kStates>(job, k);
  for (; job.num_states - k >= 2; k += 2) energies_of<2>(job, k);
  for (; k < job.num_states; ++k) energies_of<1>(job, k);
}

/// kBlock partial sums of a sum over spins, lane i % kBlock for spin i.
struct BlockSums {
  VecD lanes[kBlock / kDoubles] = {};
};

/// Adds s_i x_i, each exact; x is as long as the padded layer, and what it holds in the padding is
/// left out.
ISINGPROP_INLINE void add_signed(const Layer& layer, const float* x, BlockSums& sums) {
  for (std::int64_t i = 0; i < layer.num_spins; i += kBlock) {
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = i + part * kWidth;
      const VecF numbers = load_first(x + at, layer.num_spins - at);
      float with_signs[kWidth];
      store(with_signs, reinterpret_cast<VecU>(numbers) ^ load<VecU>(layer.signs + at));
      for (int half = 0; half < 2; ++half)
        sums.lanes[2 * part + half] += load_doubles(with_signs + half * kDoubles);
    }
  }
}

/// As a tree, the same on every target: lane l + 8, then + 4, + 2, + 1.
ISINGPROP_INLINE double sum_of(BlockSums sums) {
  for (int left = kBlock / kDoubles / 2; left > 0; left /= 2) {
    for (int k = 0; k < left; ++k) sums.lanes[k] += sums.lanes[k + left];
  }
  double last[kDoubles];
  store(last, sums.lanes[0]);
  for (int left = kDoubles / 2; left > 0; left /= 2) {
    for (int lane = 0; lane < left; ++lane) last[lane] += last[lane + left];
  }
  return last[0];
}

}  // namespace

/// E of a chain in the units of its fields. Needs the coupling fields of the hidden layer.
double chain_energy(const Chain& chain) {
  BlockSums sums;
  add_signed(chain.hidden, chain.hidden.own_fields, sums);
  add_signed(chain.hidden, chain.hidden.coupling_fields, sums);
  add_signed(chain.output, chain.output.own_fields, sums);
  return sum_of(sums);
}

void energies_f32(const EnergyJob<float>& job) { energies(job); }
void energies_f64(const EnergyJob<double>& job) { energies(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
