#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop {
namespace {

constexpr std::int64_t kImagesPerPoll = 1000;

[[noreturn]] void refuse_pixel(const Array<float>& images, std::int64_t pixel) {
  throw py::value_error("images must be in [0, 1], got " + std::to_string(images.data()[pixel]) +
                        " at index (" + std::to_string(pixel / images.shape(1)) + ", " +
                        std::to_string(pixel % images.shape(1)) + ")");
}

Array<float> local_fields(const Array<float>& images, const Array<float>& input_weights,
                          const Array<float>& hidden_bias) {
  check_shape("images", images, {kAnyLength, kAnyLength});
  check_shape("input_weights", input_weights, {images.shape(1), kAnyLength});
  check_shape("hidden_bias", hidden_bias, {input_weights.shape(1)});
  Array<float> fields({images.shape(0), input_weights.shape(1)});
  const auto scratch =
      make_unset<std::int32_t>(static_cast<std::size_t>(lit_room(images.shape(1))));
  LocalFieldsJob<float> job{images.data(),   input_weights.data(), hidden_bias.data(),
                            images.shape(0), images.shape(1),      input_weights.shape(1),
                            scratch.get(),   fields.mutable_data()};
  without_gil([&](Interrupt& interrupt) {
    for (std::int64_t left = images.shape(0); left > 0; left -= job.num_images) {
      job.num_images = std::min(left, kImagesPerPoll);
      const std::int64_t bad = kernels().local_fields(job);
      if (bad >= 0) refuse_pixel(images, job.images - images.data() + bad);
      job.images += job.num_images * job.num_inputs;
      job.fields += job.num_images * job.num_hidden;
      interrupt.poll();
      if (interrupt.stopped()) return;
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
  const std::vector<float> signs(spins.data(), spins.data() + spins.size());
  std::vector<std::int32_t> scratch(static_cast<std::size_t>(spins.shape(1)));
  const LocalFieldsJob<float> job{signs.data(),   couplings.data(),     bias.data(),
                                  spins.shape(0), spins.shape(1),       couplings.shape(1),
                                  scratch.data(), fields.mutable_data()};
  const py::gil_scoped_release unlock;
  kernels().spin_fields(job);
  return fields;
}

Array<std::int8_t> reference_states(const Array<float>& couplings,
                                    const Array<float>& hidden_fields,
                                    const Array<std::int8_t>& targets) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  check_shape("hidden_fields", hidden_fields, {kAnyLength, couplings.shape(0)});
  check_shape("targets", targets, {hidden_fields.shape(0), kAnyLength, couplings.shape(1)});
  Array<std::int8_t> spins(
      {targets.shape(0), targets.shape(1), couplings.shape(0) + couplings.shape(1)});
  std::vector<float> scratch(static_cast<std::size_t>(padded(couplings.shape(1))));
  const ReferenceJob job{couplings.data(),   hidden_fields.data(), targets.data(),
                         targets.shape(0),   targets.shape(1),     couplings.shape(0),
                         couplings.shape(1), spins.mutable_data(), scratch.data()};
  const py::gil_scoped_release unlock;
  kernels().reference_states(job);
  return spins;
}

/// Changes the first four arrays in place; mutable_data() refuses one that is read-only.
void update(Array<float>& input_weights, Array<float>& couplings, Array<float>& hidden_bias,
            Array<float>& output_bias, const Array<float>& rates, const Array<float>& images,
            const Array<std::int8_t>& free_spins, const Array<std::int8_t>& nudged_spins,
            const std::optional<Array<double>>& free_weights) {
  check_shape("couplings", couplings, {kAnyLength, kAnyLength});
  check_shape("input_weights", input_weights, {kAnyLength, couplings.shape(0)});
  check_shape("hidden_bias", hidden_bias, {couplings.shape(0)});
  check_shape("output_bias", output_bias, {couplings.shape(1)});
  check_shape("rates", rates, {4});
  check_shape("images", images, {kAnyLength, input_weights.shape(0)});
  const py::ssize_t num_spins = couplings.shape(0) + couplings.shape(1);
  check_shape("free_spins", free_spins, {images.shape(0), kAnyLength, num_spins});
  check_shape("nudged_spins", nudged_spins, {images.shape(0), kAnyLength, num_spins});
  if (free_weights)
    check_shape("free_weights", *free_weights, {images.shape(0), free_spins.shape(1)});
  UpdateJob job{input_weights.mutable_data(),
                couplings.mutable_data(),
                hidden_bias.mutable_data(),
                output_bias.mutable_data(),
                rates.at(0),
                rates.at(1),
                rates.at(2),
                rates.at(3),
                images.data(),
                free_spins.data(),
                nudged_spins.data(),
                free_weights ? free_weights->data() : nullptr,
                images.shape(0),
                images.shape(1),
                couplings.shape(0),
                couplings.shape(1),
                free_spins.shape(1),
                nudged_spins.shape(1),
                nullptr,
                nullptr};
  const auto scratch = make_aligned<float>(static_cast<std::size_t>(update_scratch_floats(job)));
  const auto lit = make_unset<std::int32_t>(static_cast<std::size_t>(lit_room(job.num_inputs)));
  job.scratch = scratch.get();
  job.lit = lit.get();
  const py::gil_scoped_release unlock;
  kernels().update(job);
}

}  // namespace

void bind_network(py::module_& m) {
  m.def("local_fields", &local_fields, py::arg("images").noconvert(),
        py::arg("input_weights").noconvert(), py::arg("hidden_bias").noconvert());
  m.def("spin_fields", &spin_fields, py::arg("spins").noconvert(), py::arg("couplings").noconvert(),
        py::arg("bias").noconvert());
  m.def("reference_states", &reference_states, py::arg("couplings").noconvert(),
        py::arg("hidden_fields").noconvert(), py::arg("targets").noconvert());
  m.def("update", &update, py::arg("input_weights").noconvert(), py::arg("couplings").noconvert(),
        py::arg("hidden_bias").noconvert(), py::arg("output_bias").noconvert(),
        py::arg("rates").noconvert(), py::arg("images").noconvert(),
        py::arg("free_spins").noconvert(), py::arg("nudged_spins").noconvert(),
        py::arg("free_weights").noconvert() = py::none());
}

}  // namespace isingprop
