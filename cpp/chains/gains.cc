#include "chains/gains.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "util/powers_of_two.h"

namespace isingprop {
namespace {

/// The gains are such that the largest slope is at most 2 to this power.
constexpr double kLargestSlopeLog = 100.0;
constexpr double kLargestDouble = std::numeric_limits<double>::max();

}  // namespace

Gains find_gains(const std::vector<std::int64_t>& spins,
                 const std::function<double(std::int64_t)>& log_gain, int exponent, double largest,
                 float* gains) {
  double most = -std::numeric_limits<double>::infinity(), least = -most;
  for (const std::int64_t spin : spins) {
    most = std::max(most, log_gain(spin));
    least = std::min(least, log_gain(spin));
  }
  if (spins.empty()) most = least = 0.0;  // nothing acts on any spin

  const double coldest = std::min(kTwoOverLn2 * std::ldexp(largest, exponent), kLargestDouble);
  if (coldest > 0.0) most = std::min(most, kLargestSlopeLog - log2_of(coldest));
  for (const std::int64_t spin : spins) {
    gains[spin] = static_cast<float>(power_of_two(std::min(0.0, log_gain(spin) - most)));
  }
  return {std::ldexp(power_of_two(most), exponent), std::min(0.0, least - most)};
}

}  // namespace isingprop
