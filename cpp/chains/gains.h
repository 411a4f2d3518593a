/// Gains of spins: what turns the slope of a chain into that of a spin, whose unit or scale
/// differs.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace isingprop {

inline constexpr double kTwoOverLn2 = 2.8853900817779268;

struct Gains {
  double unit;        ///< the slope of a chain over 2 beta / ln 2
  double log2_least;  ///< log2 of the smallest gain, at most 0
};

/// Writes the gain of each of the given spins, 2^log_gain times a common factor: the largest gain
/// is 1, or less where the slope would be too large at the largest inverse temperature.
///
/// `exponent` is that of the unit in which slopes are.
Gains find_gains(const std::vector<std::int64_t>& spins,
                 const std::function<double(std::int64_t)>& log_gain, int exponent, double largest,
                 float* gains);

}  // namespace isingprop
