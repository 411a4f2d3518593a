#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "support/common.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop::test {
namespace {

struct Counts {
  std::int64_t images, inputs, free, nudged;
};

constexpr double kRates[] = {0.3, 0.07, 0.011, 0.013};  // of W, J, hidden bias, output bias

/// A random minibatch and the parameters that it changes.
class Lesson {
 public:
  std::vector<std::int8_t> free, nudged;
  std::vector<double> weights;  ///< of the free reads; empty where all are 1 / counts.free

  Lesson(Sizes sizes, Counts counts, Random random = Random(1))
      : free(random.spins(counts.images * counts.free * (sizes.num_hidden + sizes.num_output))),
        nudged(random.spins(counts.images * counts.nudged * (sizes.num_hidden + sizes.num_output))),
        sizes_(sizes),
        counts_(counts),
        images_(random.reals<float>(counts.images * counts.inputs, -1.0, 1.0)),
        couplings_(counts.inputs * sizes.num_hidden),
        hidden_bias_(couplings_ + sizes.num_hidden * sizes.num_output),
        output_bias_(hidden_bias_ + sizes.num_hidden),
        parameters_(random.reals<float>(output_bias_ + sizes.num_output, -1.0, 1.0)) {
    for (float& pixel : images_) pixel = std::max(pixel, 0.0f);  // half are dark
  }

  const std::vector<float>& before() const { return parameters_; }

  std::vector<float> after(const KernelTable& table) const {
    std::vector<float> p = parameters_;
    UpdateJob job = {};
    job.input_weights = p.data();
    job.couplings = p.data() + couplings_;
    job.hidden_bias = p.data() + hidden_bias_;
    job.output_bias = p.data() + output_bias_;
    job.rate_input_weights = static_cast<float>(kRates[0]);
    job.rate_couplings = static_cast<float>(kRates[1]);
    job.rate_hidden_bias = static_cast<float>(kRates[2]);
    job.rate_output_bias = static_cast<float>(kRates[3]);
    job.images = images_.data();
    job.free_spins = free.data();
    job.nudged_spins = nudged.data();
    job.free_weights = weights.empty() ? nullptr : weights.data();
    job.num_images = counts_.images;
    job.num_inputs = counts_.inputs;
    job.num_hidden = sizes_.num_hidden;
    job.num_output = sizes_.num_output;
    job.num_free = counts_.free;
    job.num_nudged = counts_.nudged;
    const auto scratch = make_zeroed<float>(static_cast<std::size_t>(update_scratch_floats(job)));
    const auto lit =
        make_zeroed<std::int32_t>(static_cast<std::size_t>(lit_capacity(counts_.inputs)));
    job.scratch = scratch.get();
    job.lit = lit.get();
    table.update(job);
    return p;
  }

  /// Returns the result of the rule that kernels/network/update.cc states, in double, one parameter
  /// after the other.
  std::vector<double> twin() const {
    std::vector<double> p(parameters_.begin(), parameters_.end());
    const std::int64_t num_hidden = sizes_.num_hidden, num_output = sizes_.num_output;
    for (std::int64_t k = 0; k < counts_.images; ++k) {
      const auto add = [&](std::int64_t at, double rate, double change) {
        p[static_cast<std::size_t>(at)] += rate * change / static_cast<double>(counts_.images);
      };
      for (std::int64_t i = 0; i < num_hidden; ++i) {
        const double change = difference(k, i, kNone);
        add(hidden_bias_ + i, kRates[2], change);
        for (std::int64_t a = 0; a < counts_.inputs; ++a) {
          const double pixel = images_[static_cast<std::size_t>(k * counts_.inputs + a)];
          add(a * num_hidden + i, kRates[0], pixel * change);
        }
        for (std::int64_t a = 0; a < num_output; ++a) {
          add(couplings_ + i * num_output + a, kRates[1], difference(k, i, num_hidden + a));
        }
      }
      for (std::int64_t a = 0; a < num_output; ++a) {
        add(output_bias_ + a, kRates[3], difference(k, num_hidden + a, kNone));
      }
    }
    return p;
  }

 private:
  static constexpr std::int64_t kNone = -1;

  /// Returns sum w s_i s_j over the reads of one image, or sum w s_i if j is kNone.
  template <class Weight>
  double sum(const std::vector<std::int8_t>& spins, std::int64_t reads, std::int64_t image,
             std::int64_t i, std::int64_t j, const Weight& weight) const {
    double total = 0.0;
    for (std::int64_t r = image * reads; r < (image + 1) * reads; ++r) {
      const std::int8_t* state = spins.data() + r * (sizes_.num_hidden + sizes_.num_output);
      total += weight(r) * state[i] * (j == kNone ? 1 : state[j]);
    }
    return total;
  }

  double difference(std::int64_t image, std::int64_t i, std::int64_t j) const {
    double all = 0.0;  // of the weights
    const auto weight = [&](std::int64_t r) {
      return weights.empty() ? 1.0 / static_cast<double>(counts_.free)
                             : weights[static_cast<std::size_t>(r)];
    };
    for (std::int64_t r = image * counts_.free; r < (image + 1) * counts_.free; ++r)
      all += weight(r);
    const double share = all / static_cast<double>(counts_.nudged);
    return sum(free, counts_.free, image, i, j, weight) -
           sum(nudged, counts_.nudged, image, i, j, [&](std::int64_t) { return share; });
  }

  Sizes sizes_;
  Counts counts_;
  std::vector<float> images_;
  std::int64_t couplings_, hidden_bias_,
      output_bias_;  ///< where they begin in parameters_, after the weights
  std::vector<float> parameters_;
};

void check_rule(const Lesson& lesson) {
  constexpr double kRounding = 1e-6;  // parameters are of order 1, so a few units in the last place
  const std::vector<float> baseline = lesson.after(*available_kernels().front());
  const std::vector<double> exact = lesson.twin();
  double worst = 0.0;
  for (std::size_t k = 0; k < exact.size(); ++k)
    worst = std::max(worst, std::abs(exact[k] - double{baseline[k]}));
  CHECK(worst < kRounding);
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    CHECK(same_bits(lesson.after(*table), baseline));
  }
}

constexpr Counts kCounts[] = {{1, 9, 20, 1}, {3, 5, 7, 3}, {2, 1, 1, 1}, {1, 40, 2, 1}};

TEST_CASE("the update is the rule to rounding, and the same bits on every table") {
  for (const Sizes& sizes : kSizes) {
    for (const Counts& counts : kCounts) {
      CAPTURE(sizes.num_hidden);
      CAPTURE(counts.images);
      check_rule(Lesson(sizes, counts));
    }
  }
}

TEST_CASE("the update with weights is the rule of weighted sums") {
  Random random(4);
  for (const Sizes& sizes : kSizes) {
    for (const Counts& counts : kCounts) {
      CAPTURE(sizes.num_hidden);
      CAPTURE(counts.images);
      Lesson lesson(sizes, counts);
      lesson.weights = random.reals<double>(counts.images * counts.free, 0.0, 0.5);
      lesson.weights.back() = 0.0;
      check_rule(lesson);
    }
  }
}

TEST_CASE(
    "equal weights give what no weights give, to rounding, and a read twice counts as twice the "
    "weight") {
  const Sizes sizes{33, 7};
  Lesson lesson(sizes, {2, 9, 4, 1});
  const std::vector<float> without = lesson.after(kernels());
  lesson.weights.assign(8, 0.25);
  const std::vector<float> with = lesson.after(kernels());
  for (std::size_t k = 0; k < with.size(); ++k) CHECK(std::abs(with[k] - without[k]) < 1e-6f);
  std::copy_n(lesson.free.begin(), 40,
              lesson.free.begin() + 40);  // the second read of the first image is the first
  lesson.weights = {0.5, 0.25, 0.25, 0.125, 0.25, 0.25, 0.25, 0.25};
  const std::vector<float> twice = lesson.after(kernels());
  lesson.weights[0] = 0.75;
  lesson.weights[1] = 0.0;
  CHECK(same_bits(lesson.after(kernels()), twice));  // these sums are exact
}

TEST_CASE("weights of zero change nothing") {
  Lesson lesson({17, 5}, {2, 9, 4, 3});
  lesson.weights.assign(8, 0.0);
  for (const KernelTable* table : available_kernels())
    CHECK(same_bits(lesson.after(*table), lesson.before()));
}

TEST_CASE("nothing changes if every free read is the nudged state") {
  const std::int64_t num_spins = 17 + 5, reads = 4;
  Lesson lesson({17, 5}, {1, 9, reads, 1});
  for (std::int64_t k = 0; k < reads * num_spins; ++k) {
    lesson.free[static_cast<std::size_t>(k)] =
        lesson.nudged[static_cast<std::size_t>(k % num_spins)];
  }
  for (const KernelTable* table : available_kernels())
    CHECK(same_bits(lesson.after(*table), lesson.before()));
  lesson.free.back() = static_cast<std::int8_t>(-lesson.free.back());  // one spin of the last read
  for (const KernelTable* table : available_kernels())
    CHECK(lesson.after(*table) != lesson.before());
}

// These bits are the same on every processor. A change changes the numbers of every training run.
TEST_CASE("an update has the same bits as on every other machine") {
  CHECK(hash_of(Lesson({120, 40}, {3, 9, 20, 1}).after(kernels())) == 10359347334669198293u);
}

}  // namespace
}  // namespace isingprop::test
