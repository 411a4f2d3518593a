/// Energies E(s, t) = sum_i h_i s_i + sum_a g_a t_a + sum_ia J_ia s_i t_a of given states, in double precision.
///
/// For each output spin a the sum over i runs in order, so the bits do not depend on the width of the registers; a
/// product with a spin is exact, so neither do they depend on whether it is fused with the addition.
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr int kPartialSums = 4;
/// States at a time, and vectors at a time: their product is what the registers hold.
constexpr int kStates = 4;
constexpr int kTile = kWidth == 16 ? 6 : 2;

/// Adds sum_i x_i s_i to four partial sums, so that additions overlap. Begin at a multiple of four.
template <class Real>
void add_dot(double* sums, const Real* x, const std::int8_t* spins, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kPartialSums <= count; i += kPartialSums) {
    for (int k = 0; k < kPartialSums; ++k) sums[k] += static_cast<double>(x[i + k]) * spins[i + k];
  }
  for (int k = 0; i < count; ++i, ++k) sums[k] += static_cast<double>(x[i]) * spins[i];
}

/// Energies of States states in a row, which share the work of reading the couplings.
template <int States, class Real>
void energies_of(const EnergyJob<Real>& job, std::int64_t first_state) {
  const std::int64_t num_spins = job.num_hidden + job.num_output;
  const std::int8_t* spins = job.spins + first_state * num_spins;
  const std::int64_t stride = padded(job.num_output);
  double totals[States][kPartialSums] = {};
  for (int k = 0; k < States; ++k) {
    add_dot(totals[k], job.hidden_fields, spins + k * num_spins, job.num_hidden);
    add_dot(totals[k], job.output_fields, spins + k * num_spins + job.num_hidden, job.num_output);
  }
  for_tiles<kTile>(stride / kDoubles, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    VecD sums[States][N] = {};
    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      const Real* row = job.couplings + i * stride + first * kDoubles;
      VecD spin[States];
      for (int k = 0; k < States; ++k) spin[k] = splat(static_cast<double>(spins[k * num_spins + i]));
      for (int v = 0; v < N; ++v) {
        const VecD couplings = load_doubles(row + v * kDoubles);
        for (int k = 0; k < States; ++k) sums[k][v] = add_exact(sums[k][v], spin[k], couplings);
      }
    }
    const std::int64_t begin = first * kDoubles;
    const std::int64_t left = job.num_output - begin;
    for (int k = 0; k < States; ++k) {
      double fields[N * kDoubles];
      for (int v = 0; v < N; ++v) store(fields + v * kDoubles, sums[k][v]);
      const std::int8_t* output = spins + k * num_spins + job.num_hidden + begin;
      add_dot(totals[k], fields, output, left < N * kDoubles ? left : N * kDoubles);
    }
  });
  for (int k = 0; k < States; ++k) {
    job.energies[first_state + k] = (totals[k][0] + totals[k][1]) + (totals[k][2] + totals[k][3]);
  }
}

template <class Real>
void energies(const EnergyJob<Real>& job) {
  std::int64_t k = 0;
  for (; job.num_states - k >= kStates; k += kStates) energies_of<kStates>(job, k);
  for (; k < job.num_states; ++k) energies_of<1>(job, k);
}

}  // namespace

void energies_f32(const EnergyJob<float>& job) { energies(job); }
void energies_f64(const EnergyJob<double>& job) { energies(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
