/// Bindings of the energy-based model's kernels.
#include <algorithm>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop {
namespace {

/// Outputs of a model, of whose 2^M patterns tables are made.
constexpr std::int64_t kMaxOutputs = 16;
/// Hidden units times patterns between two checks of the interrupt: about 10 ms.
constexpr std::int64_t kUnitsPerPoll = std::int64_t{1} << 22;

/// Calls part(first, count) for parts of the rows, each of which takes units_per_row units of work,
/// and checks between the parts whether the user wants to stop.
///
/// The number of rows in a part depends on the shape only, so that sums over rows are always the
/// same.
template <class Part>
void in_parts(std::int64_t num_rows, std::int64_t units_per_row, const Part& part) {
  const std::int64_t rows_per_part = std::max<std::int64_t>(1, kUnitsPerPoll / units_per_row);
  without_gil([&](Interrupt& interrupt) {
    for (std::int64_t first = 0; first < num_rows; first += rows_per_part) {
      interrupt.check(true);
      part(first, std::min(rows_per_part, num_rows - first));
    }
  });
}

std::int64_t num_patterns(const Array<double>& output_weights) {
  if (output_weights.shape(0) > kMaxOutputs) {
    throw py::value_error("output_weights must be of at most " + std::to_string(kMaxOutputs) +
                          " outputs, got shape " + shape_text(output_weights));
  }
  return std::int64_t{1} << output_weights.shape(0);
}

Array<double> weighted_sums(const Array<double>& rows, const Array<double>& weights,
                            const Array<double>& bias) {
  check_shape("rows", rows, {kAnyLength, kAnyLength});
  check_shape("weights", weights, {rows.shape(1), kAnyLength});
  check_shape("bias", bias, {weights.shape(1)});

  Array<double> sums({rows.shape(0), weights.shape(1)});
  const std::int64_t num_terms = rows.shape(1), num_sums = weights.shape(1);
  const auto scratch = make_uninitialized<std::int32_t>(
      static_cast<std::size_t>(kRowsPerTile * lit_capacity(num_terms)));
  double* out = sums.mutable_data();

  in_parts(rows.shape(0), num_terms * num_sums, [&](std::int64_t first, std::int64_t count) {
    kernels().weighted_sums({.images = rows.data() + first * num_terms,
                             .input_weights = weights.data(),
                             .hidden_bias = bias.data(),
                             .num_images = count,
                             .num_inputs = num_terms,
                             .num_hidden = num_sums,
                             .scratch = scratch.get(),
                             .fields = out + first * num_sums});
  });
  return sums;
}

py::tuple output_distribution(const Array<double>& hidden_fields,
                              const Array<double>& output_weights,
                              const Array<double>& output_bias) {
  check_shape("hidden_fields", hidden_fields, {kAnyLength, kAnyLength});
  check_shape("output_weights", output_weights, {kAnyLength, hidden_fields.shape(1)});
  const std::int64_t patterns = num_patterns(output_weights);
  check_shape("output_bias", output_bias, {output_weights.shape(0)});

  const std::int64_t num_rows = hidden_fields.shape(0), num_hidden = hidden_fields.shape(1);
  Array<double> log_prob({num_rows, patterns});
  Array<double> probabilities({num_rows, patterns});
  const auto scratch = make_zeroed<double>(static_cast<std::size_t>(padded(num_hidden)));
  double* log_out = log_prob.mutable_data();
  double* out = probabilities.mutable_data();

  in_parts(num_rows, patterns * num_hidden, [&](std::int64_t first, std::int64_t count) {
    kernels().output_distribution({.hidden_fields = hidden_fields.data() + first * num_hidden,
                                   .output_weights = output_weights.data(),
                                   .output_bias = output_bias.data(),
                                   .num_rows = count,
                                   .num_hidden = num_hidden,
                                   .num_output = output_weights.shape(0),
                                   .scratch = scratch.get(),
                                   .log_prob = log_out + first * patterns,
                                   .probabilities = out + first * patterns});
  });
  return py::make_tuple(log_prob, probabilities);
}

py::tuple hidden_means(const Array<double>& hidden_fields, const Array<double>& output_weights,
                       const Array<double>& weights) {
  check_shape("hidden_fields", hidden_fields, {kAnyLength, kAnyLength});
  check_shape("output_weights", output_weights, {kAnyLength, hidden_fields.shape(1)});
  const std::int64_t patterns = num_patterns(output_weights);
  check_shape("weights", weights, {hidden_fields.shape(0), py::ssize_t{patterns}});

  const std::int64_t num_rows = hidden_fields.shape(0), num_hidden = hidden_fields.shape(1);
  Array<double> hidden({num_rows, num_hidden});
  Array<double> output({output_weights.shape(0), hidden_fields.shape(1)});
  const auto scratch = make_zeroed<double>(static_cast<std::size_t>(2 * padded(num_hidden)));
  double* means = hidden.mutable_data();
  double* products = output.mutable_data();
  std::fill_n(products, output.size(), 0.0);

  in_parts(num_rows, patterns * num_hidden, [&](std::int64_t first, std::int64_t count) {
    kernels().hidden_means({.hidden_fields = hidden_fields.data() + first * num_hidden,
                            .output_weights = output_weights.data(),
                            .weights = weights.data() + first * patterns,
                            .num_rows = count,
                            .num_hidden = num_hidden,
                            .num_output = output_weights.shape(0),
                            .scratch = scratch.get(),
                            .hidden = means + first * num_hidden,
                            .output = products});
  });
  return py::make_tuple(hidden, output);
}

/// Applies a kernel to each number of an array (n, m).
template <class Kernel>
Array<double> elementwise(const Array<double>& x, Kernel kernel) {
  check_shape("x", x, {kAnyLength, kAnyLength});
  const std::int64_t length = x.shape(1);
  Array<double> result({x.shape(0), x.shape(1)});
  double* out = result.mutable_data();

  in_parts(x.shape(0), length, [&](std::int64_t first, std::int64_t count) {
    kernel(x.data() + first * length, count * length, out + first * length);
  });
  return result;
}

Array<double> sigmoid(const Array<double>& x) { return elementwise(x, kernels().sigmoid); }
Array<double> softplus(const Array<double>& x) { return elementwise(x, kernels().softplus); }

}  // namespace

void bind_energy_model(py::module_& m) {
  m.def("weighted_sums", &weighted_sums, py::arg("rows").noconvert(),
        py::arg("weights").noconvert(), py::arg("bias").noconvert());
  m.def("output_distribution", &output_distribution, py::arg("hidden_fields").noconvert(),
        py::arg("output_weights").noconvert(), py::arg("output_bias").noconvert());
  m.def("hidden_means", &hidden_means, py::arg("hidden_fields").noconvert(),
        py::arg("output_weights").noconvert(), py::arg("weights").noconvert());
  m.def("sigmoid", &sigmoid, py::arg("x").noconvert());
  m.def("softplus", &softplus, py::arg("x").noconvert());
}

}  // namespace isingprop
