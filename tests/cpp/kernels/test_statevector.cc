#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <string>

#include "support/common.h"

namespace isingprop::test {
namespace {

using Complex = std::complex<double>;
using std::numbers::pi;

template <class Real>
constexpr double kUlp = std::numeric_limits<Real>::epsilon();

/// Rows of amplitudes; the rows of their energies are further apart.
template <class Real>
struct Rows {
  std::int64_t num_rows, length, stride = length + 3;
  std::vector<Real> amplitudes;
  std::vector<double> energies;

  Rows(std::int64_t rows, std::int64_t row_length, double largest, Random random = Random(1))
      : num_rows(rows),
        length(row_length),
        amplitudes(random.reals<Real>(2 * rows * length, -1.0, 1.0)),
        energies(random.reals<double>(rows * stride, -largest, largest)) {}

  std::vector<Real> turned(const KernelTable& table, double quarters, double scale) const {
    std::vector<Real> out = amplitudes;
    const AmplitudeJob<Real> job{.amplitudes = out.data(),
                                 .num_rows = num_rows,
                                 .row_length = length,
                                 .energies = energies.data(),
                                 .energy_stride = stride};
    table.of<Real>().turn(job, quarters, scale);
    return out;
  }

  /// Returns the largest error of a real or imaginary part, in units of Real's epsilon. The product
  /// energy * quarters is rounded as in the kernel; subtracting whole turns is exact.
  double error(const std::vector<Real>& out, double quarters, double scale) const {
    double worst = 0.0;
    for (std::int64_t k = 0; k < num_rows * length; ++k) {
      const double energy = energies[size(k / length * stride + k % length)];
      const double angle = std::remainder(energy * quarters, 4.0) * (pi / 2);
      const Complex expected =
          Complex(amplitudes[size(2 * k)], amplitudes[size(2 * k + 1)]) * std::polar(scale, -angle);
      const Complex found(out[size(2 * k)], out[size(2 * k + 1)]);
      worst = std::max({worst, std::abs(expected.real() - found.real()),
                        std::abs(expected.imag() - found.imag())});
    }
    return worst / kUlp<Real>;
  }
};

constexpr double kFewUlps =
    4;  // a sum of two products whose factors are right to an ulp, here and in the kernel

TEST_CASE_TEMPLATE("a turn is the product with exp(-i angle E), and the same bits on every table",
                   Real, float, double) {
  for (const std::int64_t num_rows : {1, 2, 8}) {
    for (const std::int64_t length : {16, 32, 256, 4096}) {
      for (const double scale : {1.0, 0.25, -0.7}) {
        const Rows<Real> rows(num_rows, length, 5.0);
        const std::vector<Real> baseline = rows.turned(*available_kernels().front(), 0.37, scale);
        CHECK(rows.error(baseline, 0.37, scale) < kFewUlps);
        for (const KernelTable* table : available_kernels()) {
          CAPTURE(std::string(table->name));
          CHECK(same_bits(rows.turned(*table, 0.37, scale), baseline));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE(
    "a turn is right for phases from 1e-8 to 1e9 radians, and at multiples of pi / 4", Real, float,
    double) {
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    for (double largest = 1e-8; largest < 2e9; largest *= 10) {
      const Rows<Real> rows(1, 4096, largest);
      CHECK(rows.error(rows.turned(*table, 2 / pi, 1.0), 2 / pi, 1.0) < kFewUlps);
    }
    Rows<Real> eighths(1, 4096, 1.0);
    for (std::int64_t k = 0; k < 4096; ++k)
      eighths.energies[size(k)] = static_cast<double>(k - 2048) / 2;
    CHECK(eighths.error(eighths.turned(*table, 1.0, 1.0), 1.0, 1.0) < kFewUlps);
  }
}

TEST_CASE("a turn by whole multiples of pi / 2 is exact") {
  Rows<double> rows(1, 16, 1.0);
  for (std::int64_t k = 0; k < 16; ++k) {
    rows.energies[size(k)] = static_cast<double>(k - 8);
    rows.amplitudes[size(2 * k)] = 3.0;
    rows.amplitudes[size(2 * k + 1)] = 5.0;
  }
  const Complex of_quarters[] = {{3, 5}, {5, -3}, {-3, -5}, {-5, 3}};
  for (const KernelTable* table : available_kernels()) {
    const std::vector<double> out = rows.turned(*table, 1.0, 1.0);
    for (std::size_t k = 0; k < 16; ++k)
      CHECK(Complex(out[2 * k], out[2 * k + 1]) == of_quarters[k % 4]);
  }
}

TEST_CASE("the tangent is right to two ulps, and the same bits on every table") {
  for (int k = -1000; k <= 1000; ++k) {
    const double quarters = k / 2000.0, baseline = available_kernels().front()->tangent(quarters);
    CHECK(std::abs(baseline - std::tan(quarters * (pi / 2))) <=
          2 * kUlp<double> * std::abs(baseline));
    for (const KernelTable* table : available_kernels())
      CHECK(table->tangent(quarters) == baseline);
  }
}

/// Rotates one bit after the other, and for each bit one pair of numbers after the other.
template <class Real>
void rotate_plainly(std::vector<Real>& reals, int first_bit, int last_bit, Real tangent) {
  for (int bit = first_bit; bit < last_bit; ++bit) {
    const std::size_t distance = std::size_t{2} << bit;
    for (std::size_t k = 0; k < reals.size(); ++k) {
      if ((k & distance) != 0) continue;
      const Real a = reals[k], b = reals[k + distance];
      reals[k] = a - tangent * b;
      reals[k + distance] = b + tangent * a;
    }
  }
}

/// Compares one rotation on every table with scalar code.
template <class Real>
void check_rotation(int bits, int first_bit, int last_bit) {
  CAPTURE(bits);
  CAPTURE(first_bit);
  CAPTURE(last_bit);
  constexpr double kTangent = 0.6180339887;
  const std::vector<Real> before = Random(3).reals<Real>(std::int64_t{2} << bits, -1.0, 1.0);
  std::vector<Real> expected = before;
  rotate_plainly(expected, first_bit, last_bit, static_cast<Real>(kTangent));
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    std::vector<Real> found = before;
    table->of<Real>().rotate({.amplitudes = found.data(),
                              .count = std::int64_t{1} << bits,
                              .first_bit = first_bit,
                              .last_bit = last_bit,
                              .tangent = kTangent});
    CHECK(same_bits(found, expected));
  }
}

TEST_CASE_TEMPLATE("a rotation has the bits of plain scalars, one pair after the other", Real,
                   float, double) {
  for (int bits = 4; bits <= 17; ++bits) {
    check_rotation<Real>(bits, 0, bits);
    for (int last = 1; last < bits; last += bits < 10 ? 1 : 3) check_rotation<Real>(bits, 0, last);
    for (int first = 4; first < bits; first += bits < 10 ? 1 : 4) {
      for (int last = first + 1; last <= bits; last += bits < 10 ? 1 : 3)
        check_rotation<Real>(bits, first, last);
    }
  }
}

}  // namespace
}  // namespace isingprop::test
