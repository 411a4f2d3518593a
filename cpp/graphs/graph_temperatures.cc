#include "graphs/graph_temperatures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "chains/gains.h"
#include "util/powers_of_two.h"

namespace isingprop {

GraphTemperatures::GraphTemperatures(GraphGrid& grid, BetaUnit unit)
    : exponent_(grid.exponent()),
      unit_(unit),
      scales_({.num_spins = grid.num_spins(),
               .first = grid.rows().first,
               .others = grid.others().data(),
               .couplings = grid.couplings().data(),
               .sums = grid.sums(),
               .squares = grid.squares(),
               .exponents = grid.exponents().data(),
               .exponent = grid.exponent()}) {
  const float* fields = grid.rows().own_fields;
  scales_.load(fields);
  std::vector<std::int64_t> spins;  // on which anything acts
  for (std::int64_t place = 0; place < grid.num_spins(); ++place) {
    if (grid.sums()[place] != 0.0f || fields[place] != 0.0f) spins.push_back(place);
  }

  const auto log_gain = [&](std::int64_t place) {
    const double scale = unit.relative ? scales_.log2_scale(place) : 0.0;
    return grid.exponents()[static_cast<std::size_t>(place)] - grid.exponent() - scale;
  };
  const int exponent = unit.relative ? 0 : grid.exponent();  // with a reduced beta the units cancel
  const double largest = unit.relative ? scales_.reduced(unit.largest) : unit.largest;
  std::vector<float> gains(static_cast<std::size_t>(grid.num_spins()), 1.0f);
  gains_ = find_gains(spins, log_gain, exponent, largest, gains.data());
  grid.set_gains(gains);
}

float GraphTemperatures::slope(double beta) const {
  const double reduced = unit_.relative ? scales_.reduced(beta) : beta;
  const double slope = kTwoOverLn2 * (gains_.unit * reduced);
  return static_cast<float>(std::min(slope, double{kLargestGraphSlope}));
}

double GraphTemperatures::absolute(double relative) const {
  const double mean = scales_.mean_log2_scale(), whole = std::floor(mean);
  const int exponent = exponent_ + static_cast<int>(whole);  // 2^mean may not be a double
  const double beta = scales_.reduced(relative) * power_of_two(whole - mean);
  return std::min(std::ldexp(beta, -exponent), std::numeric_limits<double>::max());
}

}  // namespace isingprop
