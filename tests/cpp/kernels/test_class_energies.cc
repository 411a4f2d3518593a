#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "support/common.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

struct Code {
  std::int64_t num_classes, redundancy;
};

/// Counts of classes below, at and above whole vectors of 2, 4 and 8 doubles, blocks and tiles.
constexpr Code kCodes[] = {{1, 3},  {2, 1},  {2, 5},  {3, 2},  {7, 3},  {8, 1},  {9, 4},
                           {10, 4}, {16, 2}, {17, 5}, {33, 1}, {64, 2}, {65, 1}, {130, 3}};

/// Random problems whose outputs are a class code.
template <class Real>
struct Classes {
  static constexpr std::int64_t kNumProblems = 3;
  std::int64_t num_hidden, num_classes, redundancy;
  bool one_output_row;
  std::vector<Real> couplings, hidden_fields, output_fields;

  Classes(std::int64_t hidden, Code code, bool one_row, Random random = Random(3))
      : num_hidden(hidden),
        num_classes(code.num_classes),
        redundancy(code.redundancy),
        one_output_row(one_row),
        couplings(random.reals<Real>(hidden * num_output(), -1.0, 1.0)),
        hidden_fields(random.reals<Real>(kNumProblems * hidden, -1.0, 1.0)),
        output_fields(random.reals<Real>((one_row ? 1 : kNumProblems) * num_output(), -1.0, 1.0)) {}

  std::int64_t num_output() const { return num_classes * redundancy; }

  std::vector<double> energies(const KernelTable& table) const {
    const std::int64_t row = padded(num_classes);
    std::vector<double> matrix(size(num_hidden * row)), fields(size(row));
    std::vector<double> result(size(kNumProblems * num_classes) + 1, -7.0);
    const ClassJob<Real> job{.couplings = couplings.data(),
                             .hidden_fields = hidden_fields.data(),
                             .output_fields = output_fields.data(),
                             .num_problems = kNumProblems,
                             .num_hidden = num_hidden,
                             .num_classes = num_classes,
                             .redundancy = redundancy,
                             .one_output_row = one_output_row,
                             .class_couplings = matrix.data(),
                             .class_fields = fields.data(),
                             .energies = result.data()};
    table.of<Real>().class_couplings(job);
    table.of<Real>().class_energies(job);
    CHECK(result.back() == -7.0);
    result.pop_back();
    return result;
  }

  /// Returns sum_a x_a n_a[k], of terms with the signs of the code.
  long double by_class(const Real* x, std::int64_t k) const {
    long double sum = 0.0L;
    for (std::int64_t a = 0; a < num_output(); ++a) {
      sum += a / redundancy == k ? static_cast<long double>(x[a]) : -static_cast<long double>(x[a]);
    }
    return sum;
  }

  long double exact(std::int64_t b, std::int64_t k) const {
    const Real* outputs = output_fields.data() + (one_output_row ? 0 : b * num_output());
    long double energy = by_class(outputs, k);
    for (std::int64_t i = 0; i < num_hidden; ++i) {
      const long double field = hidden_fields[size(b * num_hidden + i)];
      energy -= std::abs(field + by_class(couplings.data() + i * num_output(), k));
    }
    return energy;
  }
};

template <class Real>
void check_class_energies(const Classes<Real>& classes) {
  CAPTURE(classes.num_hidden);
  CAPTURE(classes.num_classes);
  CAPTURE(classes.redundancy);
  CAPTURE(classes.one_output_row);
  const std::vector<double> baseline = classes.energies(*available_kernels().front());
  const double terms = static_cast<double>((classes.num_hidden + 1) * (classes.num_output() + 1));
  for (std::int64_t b = 0; b < Classes<Real>::kNumProblems; ++b) {
    for (std::int64_t k = 0; k < classes.num_classes; ++k) {
      const double exact = static_cast<double>(classes.exact(b, k));
      CHECK(std::abs(baseline[size(b * classes.num_classes + k)] - exact) < 1e-14 * terms);
    }
  }
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    CHECK(same_bits(classes.energies(*table), baseline));
  }
}

TEST_CASE_TEMPLATE("class energies are those of scalar code, with the same bits on every table",
                   Real, float, double) {
  for (const Code& code : kCodes) {
    for (const std::int64_t num_hidden : {1, 2, 15, 40}) {
      for (const bool one_row : {false, true})
        check_class_energies(Classes<Real>(num_hidden, code, one_row));
    }
  }
}

TEST_CASE("class energies of the worked example") {
  Classes<float> classes(1, {2, 1}, true);
  classes.couplings = {0.5f, -1.0f};
  classes.hidden_fields = {-0.25f, 0.0f, 1.5f};
  classes.output_fields = {0.0f, 0.0f};
  const std::vector<double> expected = {-1.25, -1.75, -1.5, -1.5, -3.0, 0.0};
  for (const KernelTable* table : available_kernels()) CHECK(classes.energies(*table) == expected);
}

}  // namespace
}  // namespace isingprop::test
