/// Energies of class states: the lowest energies of a problem whose outputs are the code of a
/// class.
///
/// With the outputs fixed, hidden spins are independent, and each points against its field:
///
///     E_k = sum_a g_a n_a[k] - sum_i |f_i + M_ik|,    M_ik = sum_a J_ia n_a[k]
///
///     J_i = (0.5, -1), n[0] = (+, -), n[1] = (-, +):   M_i = (1.5, -1.5)
///     f_i = -0.25, g = (0, 0):                         E = (-1.25, -1.75)
///
/// The states are those of reference_states.cc.
#include "kernels/network/class_energies.h"

#include "simd/load.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Computes sum_a x_a n_a[k] of all classes k: twice the sum over the outputs of the class, less
/// the sum over all.
template <class Real>
ISINGPROP_INLINE void sums_by_class(const Real* x, std::int64_t num_classes,
                                    std::int64_t redundancy, double* sums) {
  double total = 0.0;
  for (std::int64_t k = 0; k < num_classes; ++k) {
    double own = 0.0;
    for (std::int64_t a = 0; a < redundancy; ++a) own += x[k * redundancy + a];
    sums[k] = own;
    total += own;
  }
  for (std::int64_t k = 0; k < num_classes; ++k) sums[k] = 2.0 * sums[k] - total;
}

template <class Real>
void class_couplings_of(const ClassJob<Real>& job) {
  const std::int64_t num_output = job.num_classes * job.redundancy;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    sums_by_class(job.couplings + i * num_output, job.num_classes, job.redundancy,
                  job.class_couplings + i * padded(job.num_classes));
  }
}

template <class Real>
void class_energies_of(const ClassJob<Real>& job) {
  const std::int64_t num_output = job.num_classes * job.redundancy;
  const std::int64_t row = padded(job.num_classes);
  for (std::int64_t b = 0; b < job.num_problems; ++b) {
    if (b == 0 || !job.one_output_row) {
      sums_by_class(job.output_fields + b * num_output, job.num_classes, job.redundancy,
                    job.class_fields);
    }

    const Real* fields = job.hidden_fields + b * job.num_hidden;
    double* energies = job.energies + b * job.num_classes;
    for_tiles(row / kDoubles, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
      VecD sums[N] = {};
      const double* column = job.class_couplings + first * kDoubles;
      for (std::int64_t i = 0; i < job.num_hidden; ++i, column += row) {
        const VecD field = splat(static_cast<double>(fields[i]));
        for (int v = 0; v < N; ++v) sums[v] += absolute(field + load<VecD>(column + v * kDoubles));
      }
      for (int v = 0; v < N; ++v) {
        const std::int64_t at = (first + v) * kDoubles;
        const VecD energy = load<VecD>(job.class_fields + at) - sums[v];
        store_first(energies + at, energy, job.num_classes - at);
      }
    });
  }
}

}  // namespace

/// Computes M, of which the energies are made.
void class_couplings(const ClassJob<float>& job) { class_couplings_of(job); }
void class_couplings(const ClassJob<double>& job) { class_couplings_of(job); }

/// Computes E from M.
void class_energies(const ClassJob<float>& job) { class_energies_of(job); }
void class_energies(const ClassJob<double>& job) { class_energies_of(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
