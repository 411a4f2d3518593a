#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/network/local_fields.h"
#include "support/common.h"
#include "targets/dispatch.h"
#include "training/class_epoch.h"

namespace isingprop::test {
namespace {

struct Shape {
  std::int64_t num_inputs, num_hidden, num_classes, redundancy, num_images, batch_size;
  float push;
};

/// Two classes and a thousand, redundancies of 1 to 5; minibatches of one image, of all, that do
/// not fit into the images, and of so many that eight threads have work.
constexpr Shape kShapes[] = {{1, 1, 2, 1, 9, 1, 0.0f},         {9, 33, 2, 5, 40, 7, 0.5f},
                             {13, 16, 3, 2, 23, 23, 0.0f},     {20, 40, 10, 4, 150, 70, 0.25f},
                             {7, 17, 10, 3, 30, 1000, 0.125f}, {5, 6, 1000, 1, 12, 5, 0.0f}};

struct Options {
  bool adam, average;
};
constexpr Options kOptions[] = {{false, false}, {false, true}, {true, false}, {true, true}};

constexpr std::int64_t kStepsBefore = 3, kUpdatesBefore = 5;

/// All that an epoch changes.
struct Outcome {
  std::vector<float> parameters, means, squares, drift;
  std::int64_t num_wrong;

  bool operator==(const Outcome& other) const {
    return same_bits(parameters, other.parameters) && same_bits(means, other.means) &&
           same_bits(squares, other.squares) && same_bits(drift, other.drift) &&
           num_wrong == other.num_wrong;
  }
};

/// Random images, parameters and states of the optimizer.
class Lesson {
 public:
  Shape shape;
  std::vector<float> images;
  std::vector<std::int64_t> labels, order;

  explicit Lesson(const Shape& given, Random random = Random(5))
      : shape(given),
        images(random.reals<float>(given.num_images * given.num_inputs, -1.0, 1.0)),
        order(size(given.num_images)),
        start_{.parameters = random.reals<float>(count(), -1.0, 1.0),
               .means = random.reals<float>(count(), -0.1, 0.1),
               .squares = random.reals<float>(count(), 0.0, 0.1),
               .drift = random.reals<float>(count(), -1.0, 1.0),
               .num_wrong = 0} {
    for (float& pixel : images) pixel = std::max(pixel, 0.0f);  // half are dark
    for (std::int64_t k = 0; k < shape.num_images; ++k) {
      labels.push_back(random.below(shape.num_classes));
      order[size(k)] = (k * 5 + 2) % shape.num_images;  // some images twice, where 5 divides it
      rates_.insert(rates_.end(), {0.3f, 0.07f / static_cast<float>(k + 1), 0.011f, 0.013f});
    }
  }

  std::int64_t num_output() const { return shape.num_classes * shape.redundancy; }
  std::int64_t count() const {
    return (shape.num_inputs + num_output() + 1) * shape.num_hidden + num_output();
  }

  ParameterArrays arrays(std::vector<float>& of) const {
    float* couplings = of.data() + shape.num_inputs * shape.num_hidden;
    float* hidden_bias = couplings + shape.num_hidden * num_output();
    return {of.data(), couplings, hidden_bias, hidden_bias + shape.num_hidden};
  }

  Outcome learned(Options options, int num_threads) const {
    Interrupt interrupt = never();
    return learned(options, num_threads, interrupt);
  }
  Outcome learned(Options options, int num_threads, Interrupt& interrupt) const {
    Outcome result = start_;
    const AdamState adam{result.means.data(), result.squares.data(), kStepsBefore};
    const AverageState average{result.drift.data(), kUpdatesBefore};
    result.num_wrong = train_class_epoch({.parameters = arrays(result.parameters),
                                          .num_inputs = shape.num_inputs,
                                          .num_hidden = shape.num_hidden,
                                          .num_classes = shape.num_classes,
                                          .redundancy = shape.redundancy,
                                          .images = images.data(),
                                          .labels = labels.data(),
                                          .order = order.data(),
                                          .num_images = shape.num_images,
                                          .batch_size = shape.batch_size,
                                          .push = shape.push,
                                          .rates = rates_.data(),
                                          .adam = options.adam ? &adam : nullptr,
                                          .average = options.average ? &average : nullptr,
                                          .num_threads = num_threads},
                                         interrupt);
    return result;
  }

  const Outcome& start() const { return start_; }

  /// Makes the lowest class of each image its label.
  void label_by_lowest() {
    Outcome at = start_;
    const ParameterArrays to = arrays(at.parameters);
    labels = lowest_classes(to, fields_of(to, images, shape.num_images), labels);
  }

  /// Returns the outcome of the same steps, each by its own kernel on a whole minibatch.
  Outcome step_by_step(Options options) const {
    Outcome result = start_;
    std::int64_t batch = 0;
    for (std::int64_t first = 0; first < shape.num_images; first += shape.batch_size, ++batch) {
      const auto begin = order.begin() + first;
      const auto end = order.begin() + std::min(first + shape.batch_size, shape.num_images);
      step({begin, end}, batch, options, result);
    }
    return result;
  }

 private:
  void step(const std::vector<std::int64_t>& rows, std::int64_t batch, Options options,
            Outcome& result) const {
    const auto number = static_cast<std::int64_t>(rows.size());
    std::vector<float> pixels;
    std::vector<std::int64_t> own;
    for (const std::int64_t row : rows) {
      const auto from = images.begin() + row * shape.num_inputs;
      pixels.insert(pixels.end(), from, from + shape.num_inputs);
      own.push_back(labels[size(row)]);
    }
    const ParameterArrays to = arrays(result.parameters);
    const std::vector<float> fields = fields_of(to, pixels, number);
    const std::vector<std::int64_t> lowest = lowest_classes(to, fields, own);
    for (std::size_t k = 0; k < own.size(); ++k) result.num_wrong += lowest[k] != own[k];
    const std::vector<std::int8_t> free = states_of(to, fields, lowest);
    const std::vector<std::int8_t> nudged = states_of(to, fields, own);

    const auto weight = static_cast<float>(kUpdatesBefore + batch);
    const float* rates = rates_.data() + 4 * batch;
    const auto add = [&](std::vector<float>& changed, const float* by, float times) {
      update(arrays(changed), pixels, free, nudged, by, times);
    };
    if (options.adam) {
      const float ones[] = {1.0f, 1.0f, 1.0f, 1.0f};
      std::vector<float> changes(size(count()));
      add(changes, ones, 1.0f);
      move(changes, rates, kStepsBefore + batch + 1, options.average, weight, result);
    } else {
      add(result.parameters, rates, 1.0f);
      if (options.average) add(result.drift, rates, weight);
    }
  }

  std::vector<float> fields_of(const ParameterArrays& to, const std::vector<float>& pixels,
                               std::int64_t number) const {
    std::vector<std::int32_t> scratch(size(lit_capacity(shape.num_inputs)));
    std::vector<float> fields(size(number * shape.num_hidden));
    kernels().local_fields({.images = pixels.data(),
                            .input_weights = to.input_weights,
                            .hidden_bias = to.hidden_bias,
                            .num_images = number,
                            .num_inputs = shape.num_inputs,
                            .num_hidden = shape.num_hidden,
                            .scratch = scratch.data(),
                            .fields = fields.data()});
    return fields;
  }

  /// Returns the class of the lowest state of each image, with the push against its own class.
  std::vector<std::int64_t> lowest_classes(const ParameterArrays& to,
                                           const std::vector<float>& fields,
                                           const std::vector<std::int64_t>& own) const {
    std::vector<float> outputs;
    for (const std::int64_t label : own) {
      for (std::int64_t a = 0; a < num_output(); ++a) {
        const bool is_own = a / shape.redundancy == label;
        outputs.push_back(is_own ? to.output_bias[a] + shape.push : to.output_bias[a]);
      }
    }
    const std::int64_t row = padded(shape.num_classes);
    std::vector<double> matrix(size(shape.num_hidden * row)), sums(size(row));
    std::vector<double> energies(own.size() * size(shape.num_classes));
    const ClassJob<float> job{.couplings = to.couplings,
                              .hidden_fields = fields.data(),
                              .output_fields = outputs.data(),
                              .num_problems = static_cast<std::int64_t>(own.size()),
                              .num_hidden = shape.num_hidden,
                              .num_classes = shape.num_classes,
                              .redundancy = shape.redundancy,
                              .one_output_row = false,
                              .class_couplings = matrix.data(),
                              .class_fields = sums.data(),
                              .energies = energies.data()};
    kernels().of<float>().class_couplings(job);
    kernels().of<float>().class_energies(job);

    std::vector<std::int64_t> lowest;
    for (auto from = energies.begin(); from != energies.end(); from += shape.num_classes)
      lowest.push_back(std::min_element(from, from + shape.num_classes) - from);
    return lowest;
  }

  std::vector<std::int8_t> states_of(const ParameterArrays& to, const std::vector<float>& fields,
                                     const std::vector<std::int64_t>& classes) const {
    std::vector<std::int8_t> codes;
    for (const std::int64_t each : classes) {
      for (std::int64_t a = 0; a < num_output(); ++a)
        codes.push_back(a / shape.redundancy == each ? std::int8_t{1} : std::int8_t{-1});
    }
    std::vector<std::int8_t> spins(classes.size() * size(shape.num_hidden + num_output()));
    std::vector<double> scratch(size(padded(num_output())));
    kernels().of<float>().reference_states({.couplings = to.couplings,
                                            .hidden_fields = fields.data(),
                                            .targets = codes.data(),
                                            .num_images = static_cast<std::int64_t>(classes.size()),
                                            .num_references = 1,
                                            .num_hidden = shape.num_hidden,
                                            .num_output = num_output(),
                                            .spins = spins.data(),
                                            .scratch = scratch.data()});
    return spins;
  }

  void update(const ParameterArrays& to, const std::vector<float>& pixels,
              const std::vector<std::int8_t>& free, const std::vector<std::int8_t>& nudged,
              const float* rates, float times) const {
    UpdateJob job{.input_weights = to.input_weights,
                  .couplings = to.couplings,
                  .hidden_bias = to.hidden_bias,
                  .output_bias = to.output_bias,
                  .rate_input_weights = times * rates[0],
                  .rate_couplings = times * rates[1],
                  .rate_hidden_bias = times * rates[2],
                  .rate_output_bias = times * rates[3],
                  .images = pixels.data(),
                  .free_spins = free.data(),
                  .nudged_spins = nudged.data(),
                  .free_weights = nullptr,
                  .num_images = static_cast<std::int64_t>(pixels.size()) / shape.num_inputs,
                  .num_inputs = shape.num_inputs,
                  .num_hidden = shape.num_hidden,
                  .num_output = num_output(),
                  .num_free = 1,
                  .num_nudged = 1,
                  .scratch = nullptr,
                  .lit = nullptr};
    std::vector<float> scratch(size(update_scratch_floats(job)));
    std::vector<std::int32_t> lit(size(lit_capacity(shape.num_inputs)));
    job.scratch = scratch.data();
    job.lit = lit.data();
    kernels().update(job);
  }

  /// Makes step t of Adam with each parameter array at its own rate.
  void move(std::vector<float>& changes, const float* rates, std::int64_t t, bool drifts,
            float weight, Outcome& result) const {
    const std::int64_t sizes[] = {shape.num_inputs * shape.num_hidden,
                                  shape.num_hidden * num_output(), shape.num_hidden, num_output()};
    const auto time = static_cast<double>(t);
    std::size_t from = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      kernels().adam({.values = result.parameters.data() + from,
                      .changes = changes.data() + from,
                      .means = result.means.data() + from,
                      .squares = result.squares.data() + from,
                      .drift = drifts ? result.drift.data() + from : nullptr,
                      .count = sizes[k],
                      .rate = static_cast<float>(double{rates[k]} / (1.0 - std::pow(0.9, time))),
                      .inverse_square = static_cast<float>(1.0 / (1.0 - std::pow(0.999, time))),
                      .weight = weight});
      from += size(sizes[k]);
    }
  }

  std::vector<float> rates_;
  Outcome start_;
};

TEST_CASE("an epoch has the bits of its steps one by one, on every table and number of threads") {
  for (const Shape& shape : kShapes) {
    const Lesson lesson(shape);
    for (const Options& options : kOptions) {
      CAPTURE(shape.num_classes);
      CAPTURE(shape.redundancy);
      CAPTURE(options.adam);
      CAPTURE(options.average);
      const Outcome expected = lesson.step_by_step(options);
      CHECK(expected.num_wrong > 0);
      on_every_table([&] {
        CHECK(lesson.step_by_step(options) == expected);
        for (const int num_threads : {1, 2, 3, 8})
          CHECK(lesson.learned(options, num_threads) == expected);
      });
    }
  }
}

TEST_CASE("images that are right already change nothing, unless the push is against them") {
  Lesson lesson({9, 33, 10, 4, 40, 40, 0.0f});
  lesson.label_by_lowest();
  const Outcome right = lesson.learned({false, false}, 1);
  CHECK(right.num_wrong == 0);
  CHECK(same_bits(right.parameters, lesson.start().parameters));
  lesson.shape.push = 1000.0f;
  const Outcome pushed = lesson.learned({false, false}, 1);
  CHECK(pushed.num_wrong == 40);
  CHECK(pushed.parameters != right.parameters);
}

TEST_CASE("an interrupt ends an epoch soon, whatever the size of its minibatches") {
  const std::int64_t num_images = 20'000;
  for (const std::int64_t batch_size : {std::int64_t{1}, num_images}) {
    const Lesson lesson({100, 120, 10, 4, num_images, batch_size, 0.0f});
    for (const int num_threads : {1, 3}) {
      std::chrono::steady_clock::time_point asked;
      Interrupt interrupt([&] {
        asked = std::chrono::steady_clock::now();
        return true;
      });
      CHECK_THROWS_AS(lesson.learned({false, false}, num_threads, interrupt), Interrupted);
      CHECK(std::chrono::steady_clock::now() - asked <
            std::chrono::seconds(5));  // 0.1 s on an idle machine
    }
  }
}

}  // namespace
}  // namespace isingprop::test
