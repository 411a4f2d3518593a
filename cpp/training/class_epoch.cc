#include "training/class_epoch.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "targets/dispatch.h"
#include "training/adam_step.h"
#include "util/aligned.h"
#include "util/pool.h"

namespace isingprop {
namespace {

/// A thread should have this many images of a minibatch, or it is not worth waking.
constexpr std::int64_t kImagesPerThread = 8;

std::size_t length(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Memory of one thread.
struct Scratch {
  std::vector<std::int32_t> lit;
  std::vector<float> output_fields;
  AlignedArray<double> class_fields;
  std::vector<double> energies;
};

class Learner {
 public:
  Learner(const ClassEpoch& epoch, Interrupt& interrupt)
      : epoch_(epoch),
        interrupt_(interrupt),
        num_output_(epoch.num_classes * epoch.redundancy),
        num_spins_(epoch.num_hidden + num_output_),
        batch_size_(std::min(epoch.batch_size, epoch.num_images)),
        images_(length(batch_size_ * epoch.num_inputs)),
        fields_(length(batch_size_ * epoch.num_hidden)),
        classes_(length(2 * batch_size_)),
        codes_(length(2 * batch_size_ * num_output_)),
        spins_(length(2 * batch_size_ * num_spins_)),
        output_row_(length(padded(num_output_))),
        class_couplings_(make_zeroed<double>(length(epoch.num_hidden * padded(epoch.num_classes)))),
        threads_(length(epoch.num_threads)) {
    for (Scratch& thread : threads_) {
      thread.lit.resize(length(lit_capacity(epoch.num_inputs)));
      thread.output_fields.resize(length(num_output_));
      thread.class_fields = make_zeroed<double>(length(padded(epoch.num_classes)));
      thread.energies.resize(length(epoch.num_classes));
    }
    UpdateJob job = update_job(epoch.parameters, 1);
    job.num_images = batch_size_;
    update_scratch_ = make_zeroed<float>(length(update_scratch_floats(job)));
    if (epoch.adam != nullptr) changes_.assign(length(num_parameters()), 0.0f);
  }

  std::int64_t learn() {
    std::int64_t num_wrong = 0;
    find_class_couplings();
    for (std::int64_t first = 0, batch = 0; first < epoch_.num_images; ++batch) {
      const std::int64_t count = std::min(batch_size_, epoch_.num_images - first);
      num_wrong += find_classes(epoch_.order + first, count);
      find_states(count);
      if (epoch_.adam == nullptr) {
        follow(batch, count);
      } else {
        step(batch, count);
      }
      first += count;
    }
    return num_wrong;
  }

 private:
  std::int64_t num_parameters() const {
    return (epoch_.num_inputs + num_output_ + 1) * epoch_.num_hidden + num_output_;
  }

  /// Returns arrays that follow each other from `first` on.
  ParameterArrays arrays(float* first) const {
    float* couplings = first + epoch_.num_inputs * epoch_.num_hidden;
    float* hidden_bias = couplings + epoch_.num_hidden * num_output_;
    return {.input_weights = first,
            .couplings = couplings,
            .hidden_bias = hidden_bias,
            .output_bias = hidden_bias + epoch_.num_hidden};
  }

  ClassJob<float> class_job() {
    return {.couplings = epoch_.parameters.couplings,
            .hidden_fields = nullptr,
            .output_fields = nullptr,
            .num_problems = 1,
            .num_hidden = epoch_.num_hidden,
            .num_classes = epoch_.num_classes,
            .redundancy = epoch_.redundancy,
            .one_output_row = true,
            .class_couplings = class_couplings_.get(),
            .class_fields = nullptr,
            .energies = nullptr};
  }

  void find_class_couplings() { kernels().of<float>().class_couplings(class_job()); }

  /// Finds the class of the free state of each image, and that of its label. Returns how many
  /// differ.
  std::int64_t find_classes(const std::int64_t* images, std::int64_t count) {
    const std::int64_t share = (count + epoch_.num_threads - 1) / epoch_.num_threads;
    const std::int64_t piece = std::max(share, kImagesPerThread);
    const auto body = [&](int thread, std::int64_t first, std::int64_t last) {
      for (std::int64_t k = first; k < last; ++k) {
        interrupt_.check(thread == 0);  // a minibatch may be the whole of the images
        find_class(images[k], k, threads_[static_cast<std::size_t>(thread)]);
      }
    };
    const auto num_threads = static_cast<int>((count + piece - 1) / piece);
    if (num_threads == 1) {
      body(0, 0, count);
    } else {
      parallel_for(num_threads, count, piece, interrupt_, body);
    }

    std::int64_t num_wrong = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      classes_[length(batch_size_ + k)] = epoch_.labels[images[k]];
      num_wrong += classes_[length(k)] != classes_[length(batch_size_ + k)];
    }
    return num_wrong;
  }

  void find_class(std::int64_t image, std::int64_t k, Scratch& thread) {
    float* pixels = images_.data() + k * epoch_.num_inputs;
    std::copy_n(epoch_.images + image * epoch_.num_inputs, epoch_.num_inputs, pixels);
    kernels().local_fields({.images = pixels,
                            .input_weights = epoch_.parameters.input_weights,
                            .hidden_bias = epoch_.parameters.hidden_bias,
                            .num_images = 1,
                            .num_inputs = epoch_.num_inputs,
                            .num_hidden = epoch_.num_hidden,
                            .scratch = thread.lit.data(),
                            .fields = fields_.data() + k * epoch_.num_hidden});

    std::copy_n(epoch_.parameters.output_bias, num_output_, thread.output_fields.data());
    const std::int64_t own = epoch_.labels[image] * epoch_.redundancy;
    for (std::int64_t a = own; a < own + epoch_.redundancy; ++a) {
      thread.output_fields[length(a)] += epoch_.push;
    }

    ClassJob<float> job = class_job();
    job.hidden_fields = fields_.data() + k * epoch_.num_hidden;
    job.output_fields = thread.output_fields.data();
    job.class_fields = thread.class_fields.get();
    job.energies = thread.energies.data();
    kernels().of<float>().class_energies(job);
    const auto lowest = std::min_element(thread.energies.begin(), thread.energies.end());
    classes_[length(k)] = lowest - thread.energies.begin();
  }

  /// Writes the states of the classes: the free ones of the minibatch, then the nudged ones.
  void find_states(std::int64_t count) {
    for (const std::int64_t phase : {0, 1}) {
      std::int8_t* codes = codes_.data() + phase * batch_size_ * num_output_;
      std::fill_n(codes, count * num_output_, std::int8_t{-1});
      for (std::int64_t k = 0; k < count; ++k) {
        const std::int64_t own = classes_[length(phase * batch_size_ + k)] * epoch_.redundancy;
        std::fill_n(codes + k * num_output_ + own, epoch_.redundancy, std::int8_t{1});
      }
      kernels().of<float>().reference_states({.couplings = epoch_.parameters.couplings,
                                              .hidden_fields = fields_.data(),
                                              .targets = codes,
                                              .num_images = count,
                                              .num_references = 1,
                                              .num_hidden = epoch_.num_hidden,
                                              .num_output = num_output_,
                                              .spins = spins_.data() + phase * nudged(),
                                              .scratch = output_row_.data()});
    }
  }
  std::int64_t nudged() const { return batch_size_ * num_spins_; }

  UpdateJob update_job(const ParameterArrays& arrays, std::int64_t count) {
    return {.input_weights = arrays.input_weights,
            .couplings = arrays.couplings,
            .hidden_bias = arrays.hidden_bias,
            .output_bias = arrays.output_bias,
            .rate_input_weights = 1.0f,
            .rate_couplings = 1.0f,
            .rate_hidden_bias = 1.0f,
            .rate_output_bias = 1.0f,
            .images = images_.data(),
            .free_spins = spins_.data(),
            .nudged_spins = spins_.data() + nudged(),
            .free_weights = nullptr,
            .num_images = count,
            .num_inputs = epoch_.num_inputs,
            .num_hidden = epoch_.num_hidden,
            .num_output = num_output_,
            .num_free = 1,
            .num_nudged = 1,
            .scratch = update_scratch_.get(),
            .lit = threads_.front().lit.data()};
  }

  /// Adds the update of a minibatch, times a weight, to arrays.
  void add_update(const ParameterArrays& arrays, const float* rates, float weight,
                  std::int64_t count) {
    UpdateJob job = update_job(arrays, count);
    job.rate_input_weights = weight * rates[0];
    job.rate_couplings = weight * rates[1];
    job.rate_hidden_bias = weight * rates[2];
    job.rate_output_bias = weight * rates[3];
    kernels().update(job);
  }

  /// Returns the weight of a minibatch in the drift.
  float weight_of(std::int64_t batch) const {
    return epoch_.average == nullptr ? 0.0f
                                     : static_cast<float>(epoch_.average->num_updates + batch);
  }

  void follow(std::int64_t batch, std::int64_t count) {
    const float* rates = epoch_.rates + 4 * batch;
    add_update(epoch_.parameters, rates, 1.0f, count);
    if (epoch_.average != nullptr) {
      add_update(arrays(epoch_.average->drift), rates, weight_of(batch), count);
    }
    const auto begin = classes_.begin(), middle = begin + batch_size_;
    if (!std::equal(begin, begin + count, middle)) find_class_couplings();
  }

  void step(std::int64_t batch, std::int64_t count) {
    const float ones[] = {1.0f, 1.0f, 1.0f, 1.0f};
    add_update(arrays(changes_.data()), ones, 1.0f, count);

    const AdamState& state = *epoch_.adam;
    const ParameterArrays& to = epoch_.parameters;
    float* const values[] = {to.input_weights, to.couplings, to.hidden_bias, to.output_bias};
    const std::int64_t counts[] = {epoch_.num_inputs * epoch_.num_hidden,
                                   epoch_.num_hidden * num_output_, epoch_.num_hidden, num_output_};
    std::int64_t first = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const double rate = double{epoch_.rates[4 * batch + static_cast<std::int64_t>(k)]};
      const AdamJob job{
          .values = values[k],
          .changes = changes_.data() + first,
          .means = state.means + first,
          .squares = state.squares + first,
          .drift = epoch_.average == nullptr ? nullptr : epoch_.average->drift + first,
          .count = counts[k],
          .rate = 0.0f,
          .inverse_square = 0.0f,
          .weight = weight_of(batch)};
      kernels().adam(at_step(job, rate, state.num_steps + batch + 1));
      first += counts[k];
    }
    find_class_couplings();
  }

  const ClassEpoch& epoch_;
  Interrupt& interrupt_;
  const std::int64_t num_output_, num_spins_, batch_size_;
  std::vector<float> images_, fields_;
  std::vector<std::int64_t> classes_;  ///< of the free states, then the labels
  std::vector<std::int8_t> codes_, spins_;
  std::vector<double> output_row_;
  AlignedArray<double> class_couplings_;
  AlignedArray<float> update_scratch_;
  std::vector<float> changes_;
  std::vector<Scratch> threads_;
};

}  // namespace

std::int64_t train_class_epoch(const ClassEpoch& epoch, Interrupt& interrupt) {
  return Learner(epoch, interrupt).learn();
}

}  // namespace isingprop
