/// Energies E(s, t) = sum_i h_i s_i + sum_a g_a t_a + sum_ia J_ia s_i t_a of given states, in double precision.
///
/// For each output spin a the sum over i runs in order, so the bits do not depend on the width of the registers; a
/// product with a spin is exact, so neither do they depend on whether it is fused with the addition.
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr int kDoubles = kWidth / 2;
using VecD = double __attribute__((vector_size(8 * kDoubles)));
template <class Real>
struct Narrow {
  using Vec __attribute__((vector_size(sizeof(Real) * kDoubles))) = Real;
};

constexpr int kPartialSums = 4;

/// Adds sum_i x_i s_i to four partial sums, so that additions overlap. Begin at a multiple of four.
template <class Real>
void add_dot(double* sums, const Real* x, const std::int8_t* spins, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i % kPartialSums] += static_cast<double>(x[i]) * spins[i];
}

template <class Real>
double energy(const EnergyJob<Real>& job, const std::int8_t* hidden) {
  const std::int8_t* output = hidden + job.num_hidden;
  const std::int64_t stride = padded(job.num_output);
  double total[kPartialSums] = {};
  add_dot(total, job.hidden_fields, hidden, job.num_hidden);
  add_dot(total, job.output_fields, output, job.num_output);
  for_tiles(stride / kDoubles, [&]<int N>(std::int64_t first) {
    VecD sums[N] = {};
    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      const Real* row = job.couplings + i * stride + first * kDoubles;
      const VecD spin = static_cast<double>(hidden[i]) - VecD{};
      for (int v = 0; v < N; ++v) {
        using Vec = typename Narrow<Real>::Vec;
        sums[v] += spin * __builtin_convertvector(load<Vec>(row + v * kDoubles), VecD);
      }
    }
    double fields[N * kDoubles];
    for (int v = 0; v < N; ++v) store(fields + v * kDoubles, sums[v]);
    const std::int64_t begin = first * kDoubles;
    const std::int64_t left = job.num_output - begin;
    add_dot(total, fields, output + begin, left < N * kDoubles ? left : N * kDoubles);
  });
  return (total[0] + total[1]) + (total[2] + total[3]);
}

template <class Real>
void energies(const EnergyJob<Real>& job) {
  for (std::int64_t k = 0; k < job.num_states; ++k) {
    job.energies[k] = energy(job, job.spins + k * (job.num_hidden + job.num_output));
  }
}

}  // namespace

void energies_f32(const EnergyJob<float>& job) { energies(job); }
void energies_f64(const EnergyJob<double>& job) { energies(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
