/// The inner loops as one table of functions per instruction set, and the plain structs they take.
///
/// Each kernel file is compiled once per target into a namespace of its own; core/dispatch.h picks
/// a table at import. Nothing here is checked: the callers in bindings/ and samplers/ have done
/// that.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// Where one row of a sparse layer is: the blocks of the other layer outside of these it does not
/// couple to.
struct RowSpan {
  std::int64_t offset;       ///< of the row, in floats
  std::int64_t first, last;  ///< blocks [first, last)
};

/// One layer of one chain. Arrays are 64-byte aligned and padded to whole blocks.
struct Layer {
  std::int64_t num_spins;
  const float* own_fields;   ///< h_i; -1e30 in the padding, whose flips are never noted
  const float* down_fields;  ///< k_i with all spins of the other layer down
  const float*
      rows;  ///< 2 J: one row per spin of this layer, over the padded spins of the other layer
  const RowSpan* spans;    ///< null, or of each row the part of it that is there
  float* coupling_fields;  ///< k_i = sum_j J_ij t_j, exact (see CouplingGrid); 0 in the padding
  float* thresholds;       ///< of the next half-sweep; see kernels/acceptance.h
  std::uint32_t* randoms;  ///< what they were made of
  std::uint32_t* signs;    ///< sign bit of each spin
  std::uint64_t* flips;    ///< one bit per spin: who flipped in the last half-sweep
};

/// One chain: two layers that couple only to each other.
struct Chain {
  Layer hidden;
  Layer output;
  std::uint32_t* generator;  ///< kGeneratorWords, word w of lane l at [w * kBlock + l]
};

/// Couplings to be rounded to a grid.
template <class Real>
struct CouplingJob {
  const Real* couplings;  ///< (num_hidden, num_output)
  std::int64_t num_hidden, num_output;
  Real* column_sums;   ///< padded(num_output) zeros
  float* hidden_rows;  ///< out: 2 J, (num_hidden, padded(num_output)), zero in the padding
  float* output_rows;  ///< out: 2 J^T, (num_output, padded(num_hidden)), zero in the padding
};

/// States whose energies are wanted, all of one problem. Real is the type the user's numbers came
/// in.
template <class Real>
struct EnergyJob {
  const Real* couplings;  ///< (num_hidden, num_output)
  const Real* hidden_fields;
  const Real* output_fields;
  std::int64_t num_hidden, num_output;
  const std::int8_t* spins;  ///< num_states rows of num_hidden + num_output, -1 or +1
  std::int64_t num_states;
  double* energies;
  const RowSpan* spans;  ///< null, or of each row of couplings where they are that are not 0
};

/// Real is float, or double where `images` are any numbers.
template <class Real>
struct LocalFieldsJob {
  const Real* images;         ///< (num_images, num_inputs)
  const Real* input_weights;  ///< transposed: (num_inputs, num_hidden)
  const Real* hidden_bias;
  std::int64_t num_images, num_inputs, num_hidden;
  std::int32_t* scratch;  ///< lit_room(num_inputs), of doubles kRowsAtOnce times
  Real* fields;           ///< out: (num_images, num_hidden)
};

struct ReferenceJob {
  const float* couplings;      ///< (num_hidden, num_output)
  const float* hidden_fields;  ///< (num_images, num_hidden)
  const std::int8_t* targets;  ///< (num_images, num_references, num_output): n[y], -1 or +1
  std::int64_t num_images, num_references, num_hidden, num_output;
  std::int8_t* spins;  ///< out: (num_images, num_references, num_hidden + num_output)
  float* scratch;      ///< padded(num_output)
};

struct UpdateJob {
  float* input_weights;  ///< transposed: (num_inputs, num_hidden), changed in place, as are the
                         ///< next three
  float* couplings;      ///< (num_hidden, num_output)
  float* hidden_bias;
  float* output_bias;
  float rate_input_weights, rate_couplings, rate_hidden_bias, rate_output_bias;
  const float* images;              ///< (num_images, num_inputs)
  const std::int8_t* free_spins;    ///< (num_images, num_free, num_hidden + num_output)
  const std::int8_t* nudged_spins;  ///< (num_images, num_nudged, num_hidden + num_output)
  const double* free_weights;       ///< (num_images, num_free), or null for 1 / num_free
  std::int64_t num_images, num_inputs, num_hidden, num_output, num_free, num_nudged;
  float* scratch;     ///< update_scratch_floats(job)
  std::int32_t* lit;  ///< lit_room(num_inputs)
};

/// A row of the table of all energies: outputs fixed, hidden spins in all their states. Bit i of
/// the index is 1 where hidden spin i is +1; bit a of `outputs` where output spin a is.
struct EnergyRowJob {
  const double* couplings;  ///< (num_hidden, num_output)
  const double* hidden_fields;
  const double* output_fields;
  std::int64_t num_hidden, num_output;
  std::int64_t outputs;
  double* energies;  ///< out: 2^num_hidden
};

/// Amplitudes (re, im) of a piece of a state vector, a power of two of them and at least kBlock; in
/// rows, which lie next to each other here but not in the whole state. To be multiplied by scale
/// exp(-i energy pi / 2 quarters).
template <class Real>
struct AmplitudeJob {
  Real* amplitudes;  ///< (num_rows, row_length, 2), changed in place
  std::int64_t num_rows, row_length;
  const double* energies;      ///< of the first row
  std::int64_t energy_stride;  ///< from row to row
};

/// Amplitudes whose bits [first_bit, last_bit) are to be rotated: a real rotation of each pair of
/// amplitudes that differ in one of them, without its factor of the cosine, a' = a - tangent b, b'
/// = b + tangent a. The first bit is 0, or one that counts whole blocks; rows do not matter here.
template <class Real>
struct RotationJob {
  Real* amplitudes;  ///< (count, 2)
  std::int64_t count;
  int first_bit, last_bit;
  double tangent;
};

/// An energy-based model's fields a = W1 x + b of its hidden units, and outputs of it.
struct OutputDistributionJob {
  const double* hidden_fields;   ///< (num_rows, num_hidden)
  const double* output_weights;  ///< W2, (num_output, num_hidden)
  const double* output_bias;     ///< (num_output,)
  std::int64_t num_rows, num_hidden, num_output;
  double* scratch;        ///< padded(num_hidden)
  double* log_prob;       ///< out: (num_rows, 2^num_output)
  double* probabilities;  ///< out: the same
};

struct HiddenMeansJob {
  const double* hidden_fields;   ///< (num_rows, num_hidden)
  const double* output_weights;  ///< W2, (num_output, num_hidden)
  const double* weights;         ///< of outputs, (num_rows, 2^num_output)
  std::int64_t num_rows, num_hidden, num_output;
  double* scratch;  ///< 2 padded(num_hidden)
  double* hidden;   ///< out: (num_rows, num_hidden)
  double* output;   ///< (num_output, num_hidden), added to
};

struct KernelTable {
  const char* name;
  void (*seed_signs)(const Chain&);
  void (*fields_of_down)(const float* rows, std::int64_t num_rows, std::int64_t stride,
                         float* fields);
  void (*anneal)(const Chain&, const float* slopes, std::int64_t num_sweeps, bool begins);
  void (*descend)(const Chain&);
  double (*chain_energy)(const Chain&);
  double (*largest_sum_f32)(const CouplingJob<float>&);
  double (*largest_sum_f64)(const CouplingJob<double>&);
  double (*round_couplings_f32)(const CouplingJob<float>&, double quantum, double scale);
  double (*round_couplings_f64)(const CouplingJob<double>&, double quantum, double scale);
  void (*energies_f32)(const EnergyJob<float>&);
  void (*energies_f64)(const EnergyJob<double>&);
  std::int64_t (*local_fields)(const LocalFieldsJob<float>&);
  void (*spin_fields)(const LocalFieldsJob<float>&);
  void (*weighted_sums)(const LocalFieldsJob<double>&);
  void (*reference_states)(const ReferenceJob&);
  void (*update)(const UpdateJob&);
  void (*energy_row)(const EnergyRowJob&);
  double (*tangent)(double quarters);  ///< of an angle in units of pi / 2, from -1/2 to 1/2
  void (*turn_f32)(const AmplitudeJob<float>&, double quarters, double scale);
  void (*turn_f64)(const AmplitudeJob<double>&, double quarters, double scale);
  void (*rotate_f32)(const RotationJob<float>&);
  void (*rotate_f64)(const RotationJob<double>&);
  void (*output_distribution)(const OutputDistributionJob&);
  void (*hidden_means)(const HiddenMeansJob&);
  void (*sigmoid)(const double* x, std::int64_t count, double* out);
  void (*softplus)(const double* x, std::int64_t count, double* out);
};

/// The reads of both phases as floats, each layer padded, and one layer more of each. With weights,
/// sums of products and of both layers in double precision, one read of outputs, and two rows of
/// floats.
inline std::int64_t update_scratch_floats(const UpdateJob& job) {
  const std::int64_t row = padded(job.num_output);
  if (job.free_weights != nullptr)
    return 2 * ((job.num_hidden + 2) * row + job.num_hidden) + row + job.num_hidden;
  return (job.num_free + job.num_nudged + 1) * (padded(job.num_hidden) + padded(job.num_output));
}

/// Defined once per target, in kernels/table.cc.
namespace baseline {
extern const KernelTable table;
}
namespace x86_64_v3 {
extern const KernelTable table;
}
namespace x86_64_v4 {
extern const KernelTable table;
}

}  // namespace isingprop
