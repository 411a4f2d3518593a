/// Energies of all states of the hidden spins for fixed outputs, by doubling.
///
/// With the outputs fixed, hidden spin i has the field f_i = h_i + sum_a J_ia t_a. The row begins
/// with the energy g·t of no hidden spins, and each spin doubles it: first -f_i (spin -1), then
/// +f_i.
///
///     g·t = 5:                [5]
///     spin 0 with f_0 = 1:    [4 6]
///     spin 1 with f_1 = 10:   [-6 -4 14 16]
#include "kernels/statevector/energy_row.h"

#include "simd/target.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

void energy_row(const EnergyRowJob& job) {
  double start = 0.0;
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    start += (job.outputs >> a & 1) != 0 ? job.output_fields[a] : -job.output_fields[a];
  }
  job.energies[0] = start;

  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const double* couplings = job.couplings + i * job.num_output;
    double field = job.hidden_fields[i];
    for (std::int64_t a = 0; a < job.num_output; ++a) {
      field += (job.outputs >> a & 1) != 0 ? couplings[a] : -couplings[a];
    }

    const std::int64_t count = std::int64_t{1} << i;
    for (std::int64_t k = 0; k < count; ++k) {
      const double without = job.energies[k];
      job.energies[k + count] = without + field;
      job.energies[k] = without - field;
    }
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
