#include "graphs/graph_temperatures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "util/powers_of_two.h"

namespace isingprop {

GraphTemperatures::GraphTemperatures(GraphGrid& grid, BetaUnit unit) : grid_(grid), unit_(unit) {
  const float* fields = grid.rows().own_fields;
  std::vector<std::int64_t> spins;  // on which anything acts
  for (std::int64_t place = 0; place < grid.num_spins(); ++place) {
    if (grid.sums()[place] != 0.0f || fields[place] != 0.0f) spins.push_back(place);
  }

  const LocalScales* scales = unit.relative ? &local_scales() : nullptr;
  const auto log_gain = [&](std::int64_t place) {
    const int exponent = grid.exponents()[static_cast<std::size_t>(place)];
    return exponent - grid.exponent() - (scales ? scales->log2_scale(place) : 0.0);
  };
  // With a reduced beta the units cancel.
  const int exponent = scales ? 0 : grid.exponent();
  const double largest = scales ? scales->reduced(unit.largest) : unit.largest;
  std::vector<float> gains(static_cast<std::size_t>(grid.num_spins()), 1.0f);
  gains_ = find_gains(spins, log_gain, exponent, largest, gains.data());
  grid.set_gains(gains);
}

LocalScales& GraphTemperatures::local_scales() {
  if (scales_) return *scales_;
  const CouplingLists& lists = grid_.lists();
  couplings_ = std::make_shared<std::vector<float>>(lists.couplings.size());
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    const auto i = static_cast<std::size_t>(place);
    for (auto k = static_cast<std::size_t>(lists.first[i]);
         k < static_cast<std::size_t>(lists.first[i + 1]); ++k) {
      (*couplings_)[k] = static_cast<float>(grid_.inverse_unit(place) * lists.couplings[k]);
    }
  }
  scales_ = std::make_shared<LocalScales>(GraphCouplings{.num_spins = grid_.num_spins(),
                                                         .first = lists.first.data(),
                                                         .others = lists.others.data(),
                                                         .couplings = couplings_->data(),
                                                         .sums = grid_.sums(),
                                                         .squares = grid_.squares(),
                                                         .exponents = grid_.exponents().data(),
                                                         .exponent = grid_.exponent()});
  scales_->load(grid_.rows().own_fields);
  return *scales_;
}

float GraphTemperatures::slope(double beta) const {
  const double reduced = unit_.relative ? scales_->reduced(beta) : beta;
  const double slope = kTwoOverLn2 * (gains_.unit * reduced);
  return static_cast<float>(std::min(slope, double{kLargestGraphSlope}));
}

double GraphTemperatures::absolute(double relative) {
  const LocalScales& scales = local_scales();
  const double mean = scales.mean_log2_scale(), whole = std::floor(mean);
  const int exponent = grid_.exponent() + static_cast<int>(whole);  // 2^mean may not be a double
  const double beta = scales.reduced(relative) * power_of_two(whole - mean);
  return std::min(std::ldexp(beta, -exponent), std::numeric_limits<double>::max());
}

bool GraphTemperatures::is_cold(double beta, double cold) const {
  if (unit_.relative) return beta >= cold;
  double squares = 0.0, count = 0.0;
  for (std::int64_t place = 0; place < grid_.num_spins(); ++place) {
    const double field = grid_.given().fields[place], unit = 1.0 / grid_.inverse_unit(place);
    const double square = field * field + unit * unit * double{grid_.squares()[place]};
    squares += square;
    count += square > 0.0;
  }
  return beta * std::sqrt(squares / std::max(count, 1.0)) >= cold;
}

}  // namespace isingprop
