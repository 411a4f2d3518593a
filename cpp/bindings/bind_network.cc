/// Bindings of the network's kernels.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/sampling_arguments.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop {
namespace {

constexpr std::int64_t kImagesPerPoll = 1000;

[[noreturn]] void refuse_pixel(const Array<float>& images, std::int64_t pixel) {
  const std::int64_t num_inputs = images.shape(1);
  throw py::value_error("images must be in [0, 1], got " + std::to_string(images.data()[pixel]) +
                        " at index (" + std::to_string(pixel / num_inputs) + ", " +
                        std::to_string(pixel % num_inputs) + ")");
}

Array<float> local_fields(const Array<float>& images, const Array<float>& input_weights,
                          const Array<float>& hidden_bias) {
  check_shape("images", images, {kAnyLength, kAnyLength});
  check_shape("input_weights", input_weights, {images.shape(1), kAnyLength});
  check_shape("hidden_bias", hidden_bias, {input_weights.shape(1)});

  Array<float> fields({images.shape(0), input_weights.shape(1)});
  const auto scratch =
      make_uninitialized<std::int32_t>(static_cast<std::size_t>(lit_capacity(images.shape(1))));
  LocalFieldsJob<float> job{.images = images.data(),
                            .input_weights = input_weights.data(),
                            .hidden_bias = hidden_bias.data(),
                            .num_images = images.shape(0),
                            .num_inputs = images.shape(1),
                            .num_hidden = input_weights.shape(1),
                            .scratch = scratch.get(),
                            .fields = fields.mutable_data()};

  without_gil([&](Interrupt& interrupt) {
    for (std::int64_t left = images.shape(0); left > 0; left -= job.num_images) {
      job.num_images = std::min(left, kImagesPerPoll);
      const std::int64_t bad = kernels().local_fields(job);
      if (bad >= 0) refuse_pixel(images, job.images - images.data() + bad);
      job.images += job.num_images * job.num_inputs;
      job.fields += job.num_images * job.num_hidden;
      interrupt.check(true);
    }
  });
  return fields;
}

Array<float> spin_fields(const Array<std::int8_t>& spins, const Array<float>& couplings,
                         const Array<float>& bias) {
  check_shape("spins", spins, {kAnyLength, kAnyLength});
  check_shape("couplings", couplings, {spins.shape(1), kAnyLength});
  check_shape("bias", bias, {couplings.shape(1)});
  check_spins("spins", spins);

  Array<float> fields({spins.shape(0), couplings.shape(1)});
  const std::vector<float> values(spins.data(), spins.data() + spins.size());
  std::vector<std::int32_t> scratch(static_cast<std::size_t>(spins.shape(1)));
  const LocalFieldsJob<float> job{.images = values.data(),
                                  .input_weights = couplings.data(),
                                  .hidden_bias = bias.data(),
                                  .num_images = spins.shape(0),
                                  .num_inputs = spins.shape(1),
                                  .num_hidden = couplings.shape(1),
                                  .scratch = scratch.data(),
                                  .fields = fields.mutable_data()};
  const py::gil_scoped_release unlock;
  kernels().spin_fields(job);
  return fields;
}

template <class Real>
Array<std::int8_t> reference_states(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                                    const Array<std::int8_t>& targets) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  const py::ssize_t num_hidden = couplings.shape(0), num_output = couplings.shape(1);
  check_shape("hidden_fields", hidden_fields, {kAnyLength, num_hidden});
  check_shape("targets", targets, {hidden_fields.shape(0), kAnyLength, num_output});

  Array<std::int8_t> spins({targets.shape(0), targets.shape(1), num_hidden + num_output});
  std::vector<double> scratch(static_cast<std::size_t>(padded(num_output)));
  const ReferenceJob<Real> job{.couplings = couplings.data(),
                               .hidden_fields = hidden_fields.data(),
                               .targets = targets.data(),
                               .num_images = targets.shape(0),
                               .num_references = targets.shape(1),
                               .num_hidden = num_hidden,
                               .num_output = num_output,
                               .spins = spins.mutable_data(),
                               .scratch = scratch.data()};
  const py::gil_scoped_release unlock;
  kernels().of<Real>().reference_states(job);
  return spins;
}

template <class Real>
Array<double> class_energies(const Array<Real>& couplings, const Array<Real>& hidden_fields,
                             const Array<Real>& output_fields, std::int64_t num_classes) {
  const Problem<Real> problem = check_problem(couplings, hidden_fields, output_fields);
  check_classes(num_classes, problem.num_output);

  Array<double> energies({problem.num_problems, num_classes});
  const std::int64_t row = padded(num_classes);
  const auto scratch =
      make_zeroed<double>(static_cast<std::size_t>((problem.num_hidden + 1) * row));
  ClassJob<Real> job{.couplings = problem.couplings,
                     .hidden_fields = problem.hidden_fields,
                     .output_fields = problem.output_fields,
                     .num_problems = problem.num_problems,
                     .num_hidden = problem.num_hidden,
                     .num_classes = num_classes,
                     .redundancy = problem.num_output / num_classes,
                     .one_output_row = problem.one_output_row,
                     .class_couplings = scratch.get(),
                     .class_fields = scratch.get() + problem.num_hidden * row,
                     .energies = energies.mutable_data()};

  without_gil([&](Interrupt& interrupt) {
    kernels().of<Real>().class_couplings(job);
    for (std::int64_t left = problem.num_problems; left > 0; left -= job.num_problems) {
      job.num_problems = std::min(left, kImagesPerPoll);
      kernels().of<Real>().class_energies(job);
      job.hidden_fields += job.num_problems * job.num_hidden;
      if (!job.one_output_row) job.output_fields += job.num_problems * problem.num_output;
      job.energies += job.num_problems * num_classes;
      interrupt.check(true);
    }
  });
  return energies;
}

/// Changes the first four arrays in place; mutable_data() refuses arrays that are read-only.
void update(Array<float>& input_weights, Array<float>& couplings, Array<float>& hidden_bias,
            Array<float>& output_bias, const Array<float>& rates, const Array<float>& images,
            const Array<std::int8_t>& free_spins, const Array<std::int8_t>& nudged_spins,
            const std::optional<Array<double>>& free_weights) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  const py::ssize_t num_hidden = couplings.shape(0), num_output = couplings.shape(1);
  check_shape("input_weights", input_weights, {kAnyLength, num_hidden});
  check_shape("hidden_bias", hidden_bias, {num_hidden});
  check_shape("output_bias", output_bias, {num_output});
  check_shape("rates", rates, {4});
  check_shape("images", images, {kAnyLength, input_weights.shape(0)});
  const py::ssize_t num_images = images.shape(0), num_spins = num_hidden + num_output;
  check_shape("free_spins", free_spins, {num_images, kAnyLength, num_spins});
  check_shape("nudged_spins", nudged_spins, {num_images, kAnyLength, num_spins});
  if (free_weights) {
    check_shape("free_weights", *free_weights, {num_images, free_spins.shape(1)});
  }

  UpdateJob job{.input_weights = input_weights.mutable_data(),
                .couplings = couplings.mutable_data(),
                .hidden_bias = hidden_bias.mutable_data(),
                .output_bias = output_bias.mutable_data(),
                .rate_input_weights = rates.at(0),
                .rate_couplings = rates.at(1),
                .rate_hidden_bias = rates.at(2),
                .rate_output_bias = rates.at(3),
                .images = images.data(),
                .free_spins = free_spins.data(),
                .nudged_spins = nudged_spins.data(),
                .free_weights = free_weights ? free_weights->data() : nullptr,
                .num_images = num_images,
                .num_inputs = images.shape(1),
                .num_hidden = num_hidden,
                .num_output = num_output,
                .num_free = free_spins.shape(1),
                .num_nudged = nudged_spins.shape(1),
                .scratch = nullptr,
                .lit = nullptr};
  const auto scratch = make_zeroed<float>(static_cast<std::size_t>(update_scratch_floats(job)));
  const auto lit =
      make_uninitialized<std::int32_t>(static_cast<std::size_t>(lit_capacity(job.num_inputs)));
  job.scratch = scratch.get();
  job.lit = lit.get();

  const py::gil_scoped_release unlock;
  kernels().update(job);
}

template <class Real>
void bind_classes_for(py::module_& m) {
  m.def("reference_states", &reference_states<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("targets").noconvert());
  m.def("class_energies", &class_energies<Real>, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("output_fields").noconvert(),
        py::arg("num_classes"));
}

}  // namespace

void bind_network(py::module_& m) {
  m.def("local_fields", &local_fields, py::arg("images").noconvert(),
        py::arg("input_weights").noconvert(), py::arg("hidden_bias").noconvert());
  m.def("spin_fields", &spin_fields, py::arg("spins").noconvert(), py::arg("couplings").noconvert(),
        py::arg("bias").noconvert());
  bind_classes_for<float>(m);
  bind_classes_for<double>(m);
  m.def("update", &update, py::arg("input_weights").noconvert(), py::arg("couplings").noconvert(),
        py::arg("hidden_bias").noconvert(), py::arg("output_bias").noconvert(),
        py::arg("rates").noconvert(), py::arg("images").noconvert(),
        py::arg("free_spins").noconvert(), py::arg("nudged_spins").noconvert(),
        py::arg("free_weights").noconvert() = py::none());
}

}  // namespace isingprop
