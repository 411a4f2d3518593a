#include <doctest/doctest.h>

#include <cmath>

#include "support/common.h"
#include "util/powers_of_two.h"

namespace isingprop::test {
namespace {

TEST_CASE("logarithms and powers are those of the C library, to a few roundings") {
  Random random(1);
  for (int run = 0; run < 10'000; ++run) {
    const double x = random.uniform(-1000.0, 1000.0), power = std::exp2(x);
    CHECK(power_of_two(x) == doctest::Approx(power).epsilon(1e-15 * 4));
    CHECK(std::abs(log2_of(power) - std::log2(power)) <= 1e-15 * std::max(1.0, std::abs(x)));
  }
}

TEST_CASE("they are exact for powers of two, and end at the ends of double") {
  for (const int exponent : {-1074, -1022, -900, -1, 0, 1, 52, 1023}) {
    CHECK(power_of_two(exponent) == std::ldexp(1.0, exponent));
    CHECK(log2_of(std::ldexp(1.0, exponent)) == exponent);
  }
  for (const double large : {1024.0, 1e9, 1e300}) {
    CHECK(power_of_two(large) == std::numeric_limits<double>::infinity());
    CHECK(power_of_two(-large - 60.0) == 0.0);
  }
}

}  // namespace
}  // namespace isingprop::test
