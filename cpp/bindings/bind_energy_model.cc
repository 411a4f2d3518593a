#include <algorithm>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop {
namespace {

constexpr std::int64_t kMostOutputs = 16;
constexpr std::int64_t kUnitsPerPoll = std::int64_t{1} << 22;  // some 10 ms

/// Calls part(first, count) for rows that take so many units of work each, and looks in between
/// whether the user wants to stop. How many rows are a part depends on the shape alone: sums over
/// rows are to be the same.
template <class Part>
void in_parts(std::int64_t num_rows, std::int64_t units_per_row, const Part& part) {
  const std::int64_t most = std::max<std::int64_t>(1, kUnitsPerPoll / units_per_row);
  without_gil([&](Interrupt& interrupt) {
    for (std::int64_t first = 0; first < num_rows; first += most) {
      interrupt.look(true);
      part(first, std::min(most, num_rows - first));
    }
  });
}

std::int64_t num_patterns(const Array<double>& output_weights) {
  if (output_weights.shape(0) > kMostOutputs) {
    throw py::value_error("output_weights must be of at most " + std::to_string(kMostOutputs) +
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
  const auto scratch =
      make_unset<std::int32_t>(static_cast<std::size_t>(kRowsAtOnce * lit_room(num_terms)));
  double* out = sums.mutable_data();
  in_parts(rows.shape(0), num_terms * num_sums, [&](std::int64_t first, std::int64_t count) {
    kernels().weighted_sums({rows.data() + first * num_terms, weights.data(), bias.data(), count,
                             num_terms, num_sums, scratch.get(), out + first * num_sums});
  });
  return sums;
}

py::tuple output_distribution(const Array<double>& hidden_fields,
                              const Array<double>& output_weights,
                              const Array<double>& output_bias) {
  check_shape("hidden_fields", hidden_fields, {kAnyLength, kAnyLength});
  check_shape("output_weights", output_weights, {kAnyLength, hidden_fields.shape(1)});
  const std::int64_t patterns = num_patterns(output_weights), num_hidden = hidden_fields.shape(1);
  check_shape("output_bias", output_bias, {output_weights.shape(0)});
  Array<double> log_prob({hidden_fields.shape(0), py::ssize_t{patterns}});
  Array<double> probabilities({hidden_fields.shape(0), py::ssize_t{patterns}});
  const auto scratch = make_aligned<double>(static_cast<std::size_t>(padded(num_hidden)));
  double* logs = log_prob.mutable_data();
  double* out = probabilities.mutable_data();
  in_parts(hidden_fields.shape(0), patterns * num_hidden,
           [&](std::int64_t first, std::int64_t count) {
             kernels().output_distribution({hidden_fields.data() + first * num_hidden,
                                            output_weights.data(), output_bias.data(), count,
                                            num_hidden, output_weights.shape(0), scratch.get(),
                                            logs + first * patterns, out + first * patterns});
           });
  return py::make_tuple(log_prob, probabilities);
}

py::tuple hidden_means(const Array<double>& hidden_fields, const Array<double>& output_weights,
                       const Array<double>& weights) {
  check_shape("hidden_fields", hidden_fields, {kAnyLength, kAnyLength});
  check_shape("output_weights", output_weights, {kAnyLength, hidden_fields.shape(1)});
  const std::int64_t patterns = num_patterns(output_weights), num_hidden = hidden_fields.shape(1);
  check_shape("weights", weights, {hidden_fields.shape(0), py::ssize_t{patterns}});
  Array<double> hidden({hidden_fields.shape(0), hidden_fields.shape(1)});
  Array<double> output({output_weights.shape(0), hidden_fields.shape(1)});
  const auto scratch = make_aligned<double>(static_cast<std::size_t>(2 * padded(num_hidden)));
  double* means = hidden.mutable_data();
  double* products = output.mutable_data();
  std::fill_n(products, output.size(), 0.0);
  in_parts(hidden_fields.shape(0), patterns * num_hidden,
           [&](std::int64_t first, std::int64_t count) {
             kernels().hidden_means({hidden_fields.data() + first * num_hidden,
                                     output_weights.data(), weights.data() + first * patterns,
                                     count, num_hidden, output_weights.shape(0), scratch.get(),
                                     means + first * num_hidden, products});
           });
  return py::make_tuple(hidden, output);
}

/// (n, m) to (n, m).
template <class Kernel>
Array<double> elementwise(const Array<double>& x, Kernel kernel) {
  check_shape("x", x, {kAnyLength, kAnyLength});
  Array<double> result({x.shape(0), x.shape(1)});
  double* out = result.mutable_data();
  in_parts(x.shape(0), x.shape(1), [&](std::int64_t first, std::int64_t count) {
    kernel(x.data() + first * x.shape(1), count * x.shape(1), out + first * x.shape(1));
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
