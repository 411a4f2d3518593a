#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "support/common.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

constexpr std::int64_t kNumInputs = 37;
/// The lower end of the range of random pixels, of which negative ones become 0: no pixel is lit, 1
/// in 4 are, or all are.
enum Light : int { kDark = -1, kMixed = -3, kBright = 0 };

struct Images {
  std::int64_t num_images, num_hidden, num_inputs;
  std::vector<float> pixels, weights, bias;

  Images(std::int64_t images, std::int64_t hidden, std::int64_t inputs = kNumInputs,
         Light light = kMixed, Random random = Random(1))
      : num_images(images),
        num_hidden(hidden),
        num_inputs(inputs),
        pixels(random.reals<float>(images * inputs, light, light == kDark ? 0.0 : 1.0)),
        weights(random.reals<float>(inputs * hidden, -1.0, 1.0)),
        bias(random.reals<float>(hidden, -1.0, 1.0)) {
    for (float& pixel : pixels) pixel = std::max(pixel, 0.0f);
    if (light != kDark) pixels[0] = 1.0f;
  }

  std::int64_t fields(const KernelTable& table, std::vector<float>& out) const {
    std::vector<std::int32_t> scratch(static_cast<std::size_t>(lit_capacity(num_inputs)));
    out.assign(static_cast<std::size_t>(num_images * num_hidden), -7.0f);
    return table.local_fields({.images = pixels.data(),
                               .input_weights = weights.data(),
                               .hidden_bias = bias.data(),
                               .num_images = num_images,
                               .num_inputs = num_inputs,
                               .num_hidden = num_hidden,
                               .scratch = scratch.data(),
                               .fields = out.data()});
  }

  /// Returns the sums over pixels in order, in float.
  std::vector<float> twin() const {
    std::vector<float> fields;
    for (std::int64_t k = 0; k < num_images; ++k) {
      for (std::int64_t i = 0; i < num_hidden; ++i) {
        float sum = bias[static_cast<std::size_t>(i)];
        for (std::int64_t a = 0; a < num_inputs; ++a) {
          sum += pixels[static_cast<std::size_t>(k * num_inputs + a)] *
                 weights[static_cast<std::size_t>(a * num_hidden + i)];
        }
        fields.push_back(sum);
      }
    }
    return fields;
  }
};

void check_local_fields(const Images& images) {
  CAPTURE(images.num_hidden);
  CAPTURE(images.num_inputs);
  const std::vector<float> expected = images.twin();
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    std::vector<float> fields;
    CHECK(images.fields(*table, fields) == -1);
    CHECK(same_bits(fields, expected));
  }
}

TEST_CASE("local fields are the ordered sum over pixels, bit for bit") {
  for (const std::int64_t num_hidden : {1, 3, 16, 37, 120, 133, 300})
    check_local_fields(Images(6, num_hidden));
  for (const std::int64_t num_inputs : {1, 2, 15, 16, 17, 64, 100}) {
    for (const Light light : {kDark, kMixed, kBright})
      check_local_fields(Images(3, 20, num_inputs, light));
  }
}

TEST_CASE("spins in place of pixels are summed in the same way") {
  for (const std::int64_t num_hidden : {1, 3, 16, 37, 120, 133}) {
    for (const std::int64_t num_inputs : {1, 2, 17, 120}) {
      CAPTURE(num_hidden);
      CAPTURE(num_inputs);
      Images spins(4, num_hidden, num_inputs);
      for (float& pixel : spins.pixels) pixel = pixel > 0.5f ? 1.0f : -1.0f;
      const std::vector<float> expected = spins.twin();
      for (const KernelTable* table : available_kernels()) {
        CAPTURE(std::string(table->name));
        std::vector<std::int32_t> scratch(static_cast<std::size_t>(num_inputs));
        std::vector<float> fields(expected.size(), -7.0f);
        table->spin_fields({.images = spins.pixels.data(),
                            .input_weights = spins.weights.data(),
                            .hidden_bias = spins.bias.data(),
                            .num_images = 4,
                            .num_inputs = num_inputs,
                            .num_hidden = num_hidden,
                            .scratch = scratch.data(),
                            .fields = fields.data()});
        CHECK(same_bits(fields, expected));
      }
    }
  }
}

TEST_CASE("weighted sums of doubles are ordered sums, bit for bit, zeros of either sign left out") {
  for (const std::int64_t num_rows : {1, 5, 64, 65, 130}) {
    for (const std::int64_t num_sums : {1, 3, 8, 16, 37, 130}) {
      for (const std::int64_t num_terms : {1, 2, 17, 60}) {
        CAPTURE(num_rows);
        CAPTURE(num_sums);
        CAPTURE(num_terms);
        Random random(5);
        std::vector<double> rows = random.reals<double>(num_rows * num_terms, -2.0, 1.0);
        for (double& x : rows) x = x < -1.0 ? (x < -1.5 ? 0.0 : -0.0) : x;
        const auto weights = random.reals<double>(num_terms * num_sums, -1.0, 1.0);
        const auto bias = random.reals<double>(num_sums, -1.0, 1.0);
        std::vector<double> expected;
        for (std::int64_t k = 0; k < num_rows * num_sums; ++k) {
          double sum = bias[static_cast<std::size_t>(k % num_sums)];
          for (std::int64_t a = 0; a < num_terms; ++a) {
            sum += rows[static_cast<std::size_t>(k / num_sums * num_terms + a)] *
                   weights[static_cast<std::size_t>(a * num_sums + k % num_sums)];
          }
          expected.push_back(sum);
        }
        for (const KernelTable* table : available_kernels()) {
          CAPTURE(std::string(table->name));
          std::vector<std::int32_t> scratch(
              static_cast<std::size_t>(kRowsPerTile * lit_capacity(num_terms)));
          std::vector<double> sums(expected.size(), -7.0);
          table->weighted_sums({.images = rows.data(),
                                .input_weights = weights.data(),
                                .hidden_bias = bias.data(),
                                .num_images = num_rows,
                                .num_inputs = num_terms,
                                .num_hidden = num_sums,
                                .scratch = scratch.data(),
                                .fields = sums.data()});
          CHECK(same_bits(sums, expected));
        }
      }
    }
  }
}

TEST_CASE("local fields return the first pixel outside [0, 1], and write no fields after it") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity, 1.0000001f, -1e-38f}) {
    Images images(6, 20);
    for (const std::size_t at : {5 * kNumInputs, 2 * kNumInputs + 36}) {
      images.pixels[at] = bad;
      for (const KernelTable* table : available_kernels()) {
        CAPTURE(std::string(table->name));
        std::vector<float> fields;
        CHECK(images.fields(*table, fields) == static_cast<std::int64_t>(at));
        CHECK(fields.back() == -7.0f);
      }
    }
  }
}

/// Random couplings, and two images with three rows of targets each.
struct References {
  static constexpr std::int64_t kNumImages = 2, kNumReferences = 3;
  Sizes sizes;
  std::vector<float> couplings, fields;
  std::vector<std::int8_t> targets;

  explicit References(Sizes s, Random random = Random(2))
      : sizes(s),
        couplings(random.reals<float>(s.num_hidden * s.num_output, -1.0, 1.0)),
        fields(random.reals<float>(kNumImages * s.num_hidden, -1.0, 1.0)),
        targets(random.spins(kNumImages * kNumReferences * s.num_output)) {}

  std::vector<std::int8_t> states(const KernelTable& table) const {
    const std::int64_t rows = kNumImages * kNumReferences;
    std::vector<std::int8_t> spins(
        static_cast<std::size_t>(rows * (sizes.num_hidden + sizes.num_output)));
    std::vector<double> scratch(static_cast<std::size_t>(padded(sizes.num_output)), -7.0f);
    table.of_float.reference_states({.couplings = couplings.data(),
                                     .hidden_fields = fields.data(),
                                     .targets = targets.data(),
                                     .num_images = kNumImages,
                                     .num_references = kNumReferences,
                                     .num_hidden = sizes.num_hidden,
                                     .num_output = sizes.num_output,
                                     .spins = spins.data(),
                                     .scratch = scratch.data()});
    return spins;
  }

  /// Returns b_i + h_i + sum_a J_ia n_a of one row of targets, in double.
  double field(std::int64_t row, std::int64_t i) const {
    double sum = fields[static_cast<std::size_t>(row / kNumReferences * sizes.num_hidden + i)];
    for (std::int64_t a = 0; a < sizes.num_output; ++a) {
      sum += double{couplings[static_cast<std::size_t>(i * sizes.num_output + a)]} *
             targets[static_cast<std::size_t>(row * sizes.num_output + a)];
    }
    return sum;
  }
};

TEST_CASE(
    "reference states have the targets for outputs, and every hidden spin against its field") {
  constexpr double kRounding = 1e-4;  // a smaller field may have either sign in float
  for (const Sizes& sizes : kSizes) {
    const References references(sizes);
    const std::vector<std::int8_t> baseline = references.states(*available_kernels().front());
    const std::int8_t* state = baseline.data();
    for (std::int64_t row = 0; row < 6; ++row, state += sizes.num_hidden + sizes.num_output) {
      for (std::int64_t i = 0; i < sizes.num_hidden; ++i)
        CHECK(state[i] * references.field(row, i) < kRounding);
      const std::int8_t* targets = references.targets.data() + row * sizes.num_output;
      CHECK(std::equal(targets, targets + sizes.num_output, state + sizes.num_hidden));
    }
    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      CHECK(references.states(*table) == baseline);
    }
  }
}

TEST_CASE("a reference spin without a field is up") {
  References references({4, 2});
  references.couplings = {1.0f, -1.0f, -1.0f, 1.0f, 0.0f, 0.0f, 0.5f, 0.5f};
  references.fields = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 1.0f, -1.0f};
  references.targets.assign(12, 1);
  const std::int8_t first[] = {1, 1, 1, -1, 1, 1},
                    second[] = {1, 1, -1, 1, 1, 1};  // of the two images
  std::vector<std::int8_t> expected;
  for (const auto* state : {&first, &first, &first, &second, &second, &second}) {
    expected.insert(expected.end(), std::begin(*state), std::end(*state));
  }
  for (const KernelTable* table : available_kernels()) CHECK(references.states(*table) == expected);
}

}  // namespace
}  // namespace isingprop::test
