#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "support/common.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop::test {
namespace {

/// Relative error of a few roundings of numbers near 1 and of the C library's functions.
constexpr double kUlps = 8 * std::numeric_limits<double>::epsilon();

/// Returns numbers of both signs: small ones, large ones, some far outside of the exponential's
/// range, and multiples of log(2) / 2.
std::vector<double> numbers() {
  std::vector<double> values = {0.0,   -0.0,   1e-320, -1e-320, 1e300, -1e300,
                                708.0, -708.0, 709.0,  -709.0,  36.8,  -36.8};
  Random random(3);
  for (int k = 0; k < 5000; ++k) {
    values.push_back(random.uniform(-40.0, 40.0));
    values.push_back(
        std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.below(40)) - 30));
  }
  for (int k = -1000; k <= 1000; ++k) values.push_back(0.5 * k * std::log(2.0));
  return values;
}

using Function = void (*)(const double*, std::int64_t, double*);

void check_function(Function KernelTable::* member, double (*expected)(double)) {
  const std::vector<double> x = numbers();
  std::vector<double> first;
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    std::vector<double> out(x.size() + 1, -7.0);
    (table->*member)(x.data(), static_cast<std::int64_t>(x.size()), out.data());
    CHECK(out.back() == -7.0);
    out.pop_back();
    if (first.empty()) first = out;
    CHECK(same_bits(out, first));
    for (std::size_t k = 0; k < x.size(); ++k) {
      CAPTURE(x[k]);
      const double right = expected(x[k]);
      CHECK(std::abs(out[k] - right) <= kUlps * right + 1e-307);  // smaller results are 0
    }
  }
}

TEST_CASE("the sigmoid is right to the last bits, and the same on every target") {
  check_function(&KernelTable::sigmoid, [](double x) { return 1.0 / (1.0 + std::exp(-x)); });
}

TEST_CASE("softplus is right to the last bits, and the same on every target") {
  check_function(&KernelTable::softplus,
                 [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
}

/// A random model: hidden fields a, W2 and c, and weights of output patterns.
struct Model {
  std::int64_t num_rows, num_hidden, num_output, num_patterns = std::int64_t{1} << num_output;
  std::vector<double> fields, output_weights, output_bias, weights;

  Model(std::int64_t rows, std::int64_t hidden, std::int64_t output, double largest = 4.0,
        Random random = Random(4))
      : num_rows(rows),
        num_hidden(hidden),
        num_output(output),
        fields(random.reals<double>(rows * hidden, -largest, largest)),
        output_weights(random.reals<double>(output * hidden, -largest, largest)),
        output_bias(random.reals<double>(output, -largest, largest)),
        weights(random.reals<double>(rows * num_patterns, -1.0, 1.0)) {
    for (double& weight : weights) weight = std::abs(weight) < 0.3 ? 0.0 : weight;
  }

  double field(std::int64_t row, std::int64_t j, std::int64_t outputs) const {
    double sum = fields[size(row * num_hidden + j)];
    for (std::int64_t m = 0; m < num_output; ++m) {
      sum += (outputs >> m & 1) != 0 ? output_weights[size(m * num_hidden + j)] : 0.0;
    }
    return sum;
  }

  /// Returns log P(y | x) of a row for all patterns y, in extended precision if the machine has it.
  std::vector<long double> log_prob(std::int64_t row) const {
    std::vector<long double> scores;
    for (std::int64_t y = 0; y < num_patterns; ++y) {
      long double score = 0.0;
      for (std::int64_t m = 0; m < num_output; ++m)
        score += (y >> m & 1) != 0 ? output_bias[size(m)] : 0.0;
      for (std::int64_t j = 0; j < num_hidden; ++j) {
        const double x = field(row, j, y);
        score += std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
      }
      scores.push_back(score);
    }
    const long double largest = *std::max_element(scores.begin(), scores.end());
    long double sum = 0.0;
    for (const long double score : scores) sum += std::exp(score - largest);
    for (long double& score : scores) score -= largest + std::log(sum);
    return scores;
  }
};

struct Distribution {
  std::vector<double> log_prob, probabilities;

  Distribution(const KernelTable& table, const Model& model)
      : log_prob(size(model.num_rows * model.num_patterns), -7.0), probabilities(log_prob) {
    const auto scratch = make_zeroed<double>(size(padded(model.num_hidden)));
    table.output_distribution({.hidden_fields = model.fields.data(),
                               .output_weights = model.output_weights.data(),
                               .output_bias = model.output_bias.data(),
                               .num_rows = model.num_rows,
                               .num_hidden = model.num_hidden,
                               .num_output = model.num_output,
                               .scratch = scratch.get(),
                               .log_prob = log_prob.data(),
                               .probabilities = probabilities.data()});
  }
};

struct HiddenMeans {
  std::vector<double> hidden, output;

  HiddenMeans(const KernelTable& table, const Model& model)
      : hidden(size(model.num_rows * model.num_hidden), -7.0),
        output(size(model.num_output * model.num_hidden), 0.5) {
    const auto scratch = make_zeroed<double>(size(2 * padded(model.num_hidden)));
    std::fill_n(scratch.get(), 2 * padded(model.num_hidden),
                std::numeric_limits<double>::quiet_NaN());
    table.hidden_means({.hidden_fields = model.fields.data(),
                        .output_weights = model.output_weights.data(),
                        .weights = model.weights.data(),
                        .num_rows = model.num_rows,
                        .num_hidden = model.num_hidden,
                        .num_output = model.num_output,
                        .scratch = scratch.get(),
                        .hidden = hidden.data(),
                        .output = output.data()});
  }
};

/// Returns the rounding error of a sum over the hidden units of numbers of this size.
double sum_error(const Model& model, double largest) {
  return 4e-16 * static_cast<double>(model.num_hidden) * largest;
}

void check_distribution(const Model& model, double largest) {
  CAPTURE(model.num_hidden);
  CAPTURE(model.num_output);
  const Distribution first(*available_kernels().front(), model);
  for (std::int64_t b = 0; b < model.num_rows; ++b) {
    const std::vector<long double> expected = model.log_prob(b);
    for (std::int64_t y = 0; y < model.num_patterns; ++y) {
      const std::size_t at = size(b * model.num_patterns + y);
      CHECK(std::abs(first.log_prob[at] - expected[size(y)]) <= sum_error(model, largest));
      CHECK(std::abs(first.probabilities[at] - std::exp(first.log_prob[at])) <= kUlps);
    }
  }
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    const Distribution other(*table, model);
    CHECK(same_bits(other.log_prob, first.log_prob));
    CHECK(same_bits(other.probabilities, first.probabilities));
  }
}

TEST_CASE("probabilities of outputs sum over all hidden units") {
  for (const std::int64_t num_hidden : {1, 3, 8, 16, 17, 37, 548}) {
    for (const std::int64_t num_output : {1, 2, 3})
      check_distribution(Model(3, num_hidden, num_output), 16.0);
  }
}

TEST_CASE("products of many factors do not overflow, nor do large fields") {
  check_distribution(Model(2, 16001, 1, 1e-3),
                     1.0);  // each factor near 2, more than fit into a double
  check_distribution(Model(2, 33, 2, 1e5), 4e5);
}

TEST_CASE("fields that are far larger than weights cancel") {
  Model model(1, 3, 1);
  model.fields = {1e17, -1e17, 0.5};
  model.output_weights = {2.0, 2.0, 0.25};
  model.output_bias = {-1.0};
  const double ratio = std::exp(1.0) * (1.0 + std::exp(0.75)) / (1.0 + std::exp(0.5));
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    CHECK(Distribution(*table, model).probabilities[1] ==
          doctest::Approx(ratio / (1.0 + ratio)).epsilon(1e-14));
  }
}

TEST_CASE("hidden means are weighted sums over outputs, rows in order") {
  for (const std::int64_t num_hidden : {1, 7, 16, 45, 130}) {
    for (const std::int64_t num_output : {1, 2, 3}) {
      const Model model(5, num_hidden, num_output);
      CAPTURE(num_hidden);
      CAPTURE(num_output);
      const HiddenMeans first(*available_kernels().front(), model);
      std::vector<double> output(first.output.size(), 0.5);
      for (std::int64_t b = 0; b < model.num_rows; ++b) {
        for (std::int64_t j = 0; j < num_hidden; ++j) {
          double sum = 0.0;
          for (std::int64_t y = 0; y < model.num_patterns; ++y) {
            const double share = model.weights[size(b * model.num_patterns + y)] /
                                 (1.0 + std::exp(-model.field(b, j, y)));
            sum += share;
            for (std::int64_t m = 0; m < num_output; ++m) {
              output[size(m * num_hidden + j)] += (y >> m & 1) != 0 ? share : 0.0;
            }
          }
          CHECK(std::abs(first.hidden[size(b * num_hidden + j)] - sum) <= kUlps * 8);
        }
      }
      for (std::size_t k = 0; k < output.size(); ++k)
        CHECK(std::abs(first.output[k] - output[k]) <= kUlps * 40);
      for (const KernelTable* table : available_kernels()) {
        CAPTURE(std::string(table->name));
        const HiddenMeans other(*table, model);
        CHECK(same_bits(other.hidden, first.hidden));
        CHECK(same_bits(other.output, first.output));
      }
    }
  }
}

}  // namespace
}  // namespace isingprop::test
