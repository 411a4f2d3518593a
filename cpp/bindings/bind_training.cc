/// Bindings of training: epochs on class states, and steps of Adam.
#include <pybind11/stl.h>

#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "targets/dispatch.h"
#include "training/adam_step.h"
#include "training/class_epoch.h"

namespace isingprop {
namespace {

/// Changes the parameters, means, squares and drift in place.
std::int64_t train_classes(Array<float>& input_weights, Array<float>& couplings,
                           Array<float>& hidden_bias, Array<float>& output_bias,
                           std::int64_t num_classes, const Array<float>& images,
                           const Array<std::int64_t>& labels, const Array<std::int64_t>& order,
                           std::int64_t batch_size, float push, const Array<float>& rates,
                           std::optional<Array<float>>& means, std::optional<Array<float>>& squares,
                           std::int64_t num_steps, std::optional<Array<float>>& drift,
                           std::int64_t num_averaged, int num_threads) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  const py::ssize_t num_hidden = couplings.shape(0), num_output = couplings.shape(1);
  check_shape("input_weights", input_weights, {kAnyLength, num_hidden});
  check_shape("hidden_bias", hidden_bias, {num_hidden});
  check_shape("output_bias", output_bias, {num_output});
  check_classes(num_classes, num_output);
  const py::ssize_t num_inputs = input_weights.shape(0);
  check_shape("images", images, {kAnyLength, num_inputs});
  check_shape("labels", labels, {images.shape(0)});
  check_shape("order", order, {kAnyLength});
  for (py::ssize_t k = 0; k < labels.size(); ++k) {
    if (labels.at(k) >= 0 && labels.at(k) < num_classes) continue;
    throw py::value_error("labels must be in 0 ... " + std::to_string(num_classes - 1) + ", got " +
                          std::to_string(labels.at(k)));
  }
  for (py::ssize_t k = 0; k < order.size(); ++k) {
    if (order.at(k) >= 0 && order.at(k) < images.shape(0)) continue;
    throw py::value_error("order must name images, got " + std::to_string(order.at(k)));
  }
  check_positive("batch_size", batch_size);
  check_shape("rates", rates, {(order.size() + batch_size - 1) / batch_size, 4});
  const py::ssize_t size = input_weights.size() + couplings.size() + num_hidden + num_output;
  if (means.has_value() != squares.has_value()) {
    throw py::value_error("means and squares must be given together");
  }
  if (means) check_shape("means", *means, {size});
  if (squares) check_shape("squares", *squares, {size});
  if (drift) check_shape("drift", *drift, {size});
  check_positive("num_threads", num_threads);

  AdamState adam{};
  if (means) {
    adam = {
        .means = means->mutable_data(), .squares = squares->mutable_data(), .num_steps = num_steps};
  }
  AverageState average{};
  if (drift) average = {.drift = drift->mutable_data(), .num_updates = num_averaged};
  const ClassEpoch epoch{.parameters = {.input_weights = input_weights.mutable_data(),
                                        .couplings = couplings.mutable_data(),
                                        .hidden_bias = hidden_bias.mutable_data(),
                                        .output_bias = output_bias.mutable_data()},
                         .num_inputs = num_inputs,
                         .num_hidden = num_hidden,
                         .num_classes = num_classes,
                         .redundancy = num_output / num_classes,
                         .images = images.data(),
                         .labels = labels.data(),
                         .order = order.data(),
                         .num_images = order.size(),
                         .batch_size = batch_size,
                         .push = push,
                         .rates = rates.data(),
                         .adam = means ? &adam : nullptr,
                         .average = drift ? &average : nullptr,
                         .num_threads = num_threads};
  std::int64_t num_wrong = 0;
  without_gil([&](Interrupt& interrupt) { num_wrong = train_class_epoch(epoch, interrupt); });
  return num_wrong;
}

/// Changes all arrays in place.
void adam(Array<float>& values, Array<float>& changes, Array<float>& means, Array<float>& squares,
          std::optional<Array<float>>& drift, double rate, std::int64_t step, float weight) {
  check_shape("values", values, {kAnyLength});
  check_shape("changes", changes, {values.size()});
  check_shape("means", means, {values.size()});
  check_shape("squares", squares, {values.size()});
  if (drift) check_shape("drift", *drift, {values.size()});
  check_positive("step", step);
  const AdamJob job{.values = values.mutable_data(),
                    .changes = changes.mutable_data(),
                    .means = means.mutable_data(),
                    .squares = squares.mutable_data(),
                    .drift = drift ? drift->mutable_data() : nullptr,
                    .count = values.size(),
                    .rate = 0.0f,
                    .inverse_square = 0.0f,
                    .weight = weight};
  const py::gil_scoped_release unlock;
  kernels().adam(at_step(job, rate, step));
}

}  // namespace

void bind_training(py::module_& m) {
  m.def("train_classes", &train_classes, py::arg("input_weights").noconvert(),
        py::arg("couplings").noconvert(), py::arg("hidden_bias").noconvert(),
        py::arg("output_bias").noconvert(), py::arg("num_classes"), py::arg("images").noconvert(),
        py::arg("labels").noconvert(), py::arg("order").noconvert(), py::arg("batch_size"),
        py::arg("push"), py::arg("rates").noconvert(), py::arg("means").noconvert(),
        py::arg("squares").noconvert(), py::arg("num_steps"), py::arg("drift").noconvert(),
        py::arg("num_averaged"), py::arg("num_threads"));
  m.def("adam", &adam, py::arg("values").noconvert(), py::arg("changes").noconvert(),
        py::arg("means").noconvert(), py::arg("squares").noconvert(), py::arg("drift").noconvert(),
        py::arg("rate"), py::arg("step"), py::arg("weight"));
}

}  // namespace isingprop
