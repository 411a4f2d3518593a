/// Reference states, Eq. (7): the lowest states whose outputs are the targets n[y].
///
/// With the outputs fixed, hidden spins are independent, and each points against its field:
///
///     s_i = -sign(sum_a J_ia n_a + b_i + h_i),   +1 where that sum is 0.
///
///     J_i = (0.5, -1), n = (+, -), b_i + h_i = -0.25:   0.5 + 1 - 0.25 = 1.25  ->  s_i = -1
#include "kernels/network/reference_states.h"

#include "simd/load.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Returns sum_a J_ia n_a, taken in kBlock partial sums of doubles: in single precision a spin near
/// a tie could get the sign of the higher energy. `outputs` holds n[y], with zeros in the padding.
template <class Real>
double coupling_field(const Real* row, const double* outputs, std::int64_t num_output) {
  VecD sums[kBlock / kDoubles] = {};
  for (std::int64_t a = 0; a < num_output; a += kBlock) {
    for (int part = 0; part < kBlock / kDoubles; ++part) {
      const std::int64_t at = a + part * kDoubles;
      const VecD couplings = load_first_doubles(row + at, num_output - at);
      sums[part] = add_exact(sums[part], load<VecD>(outputs + at), couplings);
    }
  }
  return sum_of_block(sums);
}

template <class Real>
void reference_states_of(const ReferenceJob<Real>& given) {
  const ReferenceJob<Real> job =
      given;  // a copy, so that the compiler knows that no store changes it
  const std::int64_t num_spins = job.num_hidden + job.num_output;

  for (std::int64_t row = 0; row < job.num_images * job.num_references; ++row) {
    const Real* own_fields = job.hidden_fields + row / job.num_references * job.num_hidden;
    const std::int8_t* targets = job.targets + row * job.num_output;
    std::int8_t* spins = job.spins + row * num_spins;

    for (std::int64_t a = 0; a < padded(job.num_output); ++a) {
      job.scratch[a] = a < job.num_output ? static_cast<double>(targets[a]) : 0.0;
    }
    for (std::int64_t i = 0; i < job.num_hidden; ++i) {
      const Real* couplings = job.couplings + i * job.num_output;
      const double field = own_fields[i] + coupling_field(couplings, job.scratch, job.num_output);
      spins[i] = static_cast<std::int8_t>(1 - 2 * (field > 0.0));
    }
    for (std::int64_t a = 0; a < job.num_output; ++a) spins[job.num_hidden + a] = targets[a];
  }
}

}  // namespace

void reference_states(const ReferenceJob<float>& job) { reference_states_of(job); }
void reference_states(const ReferenceJob<double>& job) { reference_states_of(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
