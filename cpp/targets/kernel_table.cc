/// This target's table of kernels.
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

void seed_signs(const Chain&);
void fields_of_down(const float*, std::int64_t, std::int64_t, float*);
void anneal(const Chain&, const float*, std::int64_t, bool);
void descend(const Chain&);
double chain_energy(const Chain&);
double largest_sum_f32(const CouplingJob<float>&);
double largest_sum_f64(const CouplingJob<double>&);
double round_couplings_f32(const CouplingJob<float>&, double, double);
double round_couplings_f64(const CouplingJob<double>&, double, double);
void energies_f32(const EnergyJob<float>&);
void energies_f64(const EnergyJob<double>&);
std::int64_t local_fields(const LocalFieldsJob<float>&);
void spin_fields(const LocalFieldsJob<float>&);
void weighted_sums(const LocalFieldsJob<double>&);
void reference_states(const ReferenceJob&);
void update(const UpdateJob&);
void energy_row(const EnergyRowJob&);
double tangent(double);
void turn_f32(const AmplitudeJob<float>&, double, double);
void turn_f64(const AmplitudeJob<double>&, double, double);
void rotate_f32(const RotationJob<float>&);
void rotate_f64(const RotationJob<double>&);
void output_distribution(const OutputDistributionJob&);
void hidden_means(const HiddenMeansJob&);
void sigmoid(const double*, std::int64_t, double*);
void softplus(const double*, std::int64_t, double*);

#define ISINGPROP_STRING_OF(x) #x
#define ISINGPROP_STRING(x) ISINGPROP_STRING_OF(x)

extern const KernelTable table;
const KernelTable table = {ISINGPROP_STRING(ISINGPROP_TARGET),
                           seed_signs,
                           fields_of_down,
                           anneal,
                           descend,
                           chain_energy,
                           largest_sum_f32,
                           largest_sum_f64,
                           round_couplings_f32,
                           round_couplings_f64,
                           energies_f32,
                           energies_f64,
                           local_fields,
                           spin_fields,
                           weighted_sums,
                           reference_states,
                           update,
                           energy_row,
                           tangent,
                           turn_f32,
                           turn_f64,
                           rotate_f32,
                           rotate_f64,
                           output_distribution,
                           hidden_means,
                           sigmoid,
                           softplus};

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
