#include "graphs/graph_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "kernels/metropolis/metropolis_rule.h"

namespace isingprop {
namespace {

/// Sums of |J| are at most 2 to this power, in units.
constexpr int kSumBits = 23;
/// The largest difference between the exponents of spins that share one unit.
constexpr int kOneUnitBits = 10;
constexpr double kLargestSum = 1e300;
/// The largest field, in units.
constexpr double kLargestField = 0x1p100;
/// More than what float rounds off at its smallest.
constexpr float kLeastTolerance = 0x1p-147f;
constexpr int kArrays = 6;
/// Bytes hold fields of up to this many quanta: half of them, one more, and the place after that.
constexpr double kMostQuanta = 250.0;
/// A field above this is not a small multiple of any quantum.
constexpr double kLargestFieldOfQuanta = 0x1p40;
constexpr std::uint32_t kEachByte = 0x01010101u;
constexpr int kBitsOfByte = 8;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

/// Returns the exponent of the unit of a spin whose couplings add up to `sum` > 0.
int unit_of(double sum) {
  int exponent = 0;
  std::frexp(sum, &exponent);
  return exponent - kSumBits;
}

/// Returns a number whose size is below 2^51, rounded to a whole one.
double to_whole(double x) {
  constexpr double kRounder = 0x1.8p52;
  return (x + kRounder) - kRounder;
}

void check(double number, const char* what) {
  if (std::abs(number) <= kLargestSum) return;
  throw std::invalid_argument(std::string(what) + " must be finite and at most 1e300, got " +
                              std::to_string(number));
}

}  // namespace

GraphGrid::GraphGrid(const GraphProblem& problem) {
  const std::int64_t count = problem.num_spins, length = padded(count);
  for (std::int64_t i = 0; i < count; ++i) check(problem.fields[i], "fields");
  for (std::int64_t k = 0; k < problem.num_couplings; ++k) check(problem.couplings[k], "couplings");

  const Adjacency adjacency(problem);
  is_dense_ = is_dense(count, adjacency);
  order_ = sweep_order(count, adjacency);
  sort_couplings(problem, adjacency);

  memory_ = make_zeroed<float>(index(kArrays * length));
  float** arrays[] = {&own_fields_, &down_fields_, &gains_, &tolerances_, &sums_, &squares_};
  for (std::int64_t k = 0; k < kArrays; ++k) *arrays[k] = memory_.get() + k * length;
  std::fill_n(gains_, length, 1.0f);

  choose_units();
  round_couplings();
  round_fields();
  if (is_dense_) {
    fill_dense_rows();
  } else {
    find_runs();
    find_quanta();
  }

  given_ = {.num_spins = count,
            .first = first_.data(),
            .later = later_.data(),
            .neighbours = neighbours_.data(),
            .couplings = given_couplings_.data(),
            .fields = given_fields_.data()};
  rows_ = {.num_spins = count,
           .first = first_.data(),
           .neighbours = neighbours_.data(),
           .targets = has_one_unit_ ? neighbours_.data() : targets_.data(),
           .own_fields = own_fields_,
           .down_fields = down_fields_,
           .gains = gains_,
           .has_gains = false,
           .tolerances = tolerances_,
           .dense = dense_.get(),
           .runs = runs_.data(),
           .runs_begin = runs_begin_.data()};
}

void GraphGrid::set_gains(const std::vector<float>& gains) {
  std::copy(gains.begin(), gains.end(), gains_);
  rows_.has_gains = std::any_of(gains.begin(), gains.end(), [](float x) { return x != 1.0f; });
}

/// Lists the couplings of each place by the places of the other spins, in ascending order.
void GraphGrid::sort_couplings(const GraphProblem& problem, const Adjacency& adjacency) {
  const std::int64_t count = problem.num_spins;
  std::vector<std::int32_t> places(index(count));
  first_.assign(index(count) + 1, 0);
  for (std::int64_t place = 0; place < count; ++place) {
    const std::size_t spin = index(order_[index(place)]);
    places[spin] = static_cast<std::int32_t>(place);
    given_fields_.push_back(problem.fields[spin]);
    first_[index(place) + 1] =
        first_[index(place)] + adjacency.first[spin + 1] - adjacency.first[spin];
  }

  // Visiting the places in order, each is appended to the lists of its neighbours.
  others_.resize(adjacency.others.size());
  given_couplings_.resize(others_.size());
  std::vector<std::int64_t> next(first_.begin(), first_.end() - 1);
  for (std::int64_t place = 0; place < count; ++place) {
    const std::size_t spin = index(order_[index(place)]);
    for (std::int64_t k = adjacency.first[spin]; k < adjacency.first[spin + 1]; ++k) {
      const std::size_t at = index(next[index(places[index(adjacency.others[index(k)])])]++);
      others_[at] = static_cast<std::int32_t>(place);
      given_couplings_[at] = adjacency.couplings[index(k)];
    }
  }

  for (std::int64_t place = 0; place < count; ++place) {
    const auto begin = others_.begin() + first_[index(place)];
    const auto end = others_.begin() + first_[index(place) + 1];
    later_.push_back(std::lower_bound(begin, end, place) - others_.begin());
  }
}

/// Chooses the units by the sums of |J|. A spin without couplings has the unit of its field.
void GraphGrid::choose_units() {
  int least = std::numeric_limits<int>::max(), most = std::numeric_limits<int>::min();
  std::vector<double> sums;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    double sum = 0.0;
    for (std::int64_t k = first_[i]; k < first_[i + 1]; ++k) {
      sum += std::abs(given_couplings_[index(k)]);
    }
    check(sum, "sums of |couplings|");
    sums.push_back(sum);
    if (sum == 0.0) continue;
    least = std::min(least, unit_of(sum));
    most = std::max(most, unit_of(sum));
  }

  has_one_unit_ = least == std::numeric_limits<int>::max() || most - least <= kOneUnitBits;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double size = sums[i] > 0.0 ? sums[i] : std::abs(given_fields_[i]);
    int unit = size > 0.0 ? unit_of(size) : 0;
    if (has_one_unit_ && most >= least) unit = most;
    exponents_.push_back(unit);
    inverse_units_.push_back(std::ldexp(1.0, -unit));
  }
  exponent_ = *std::max_element(exponents_.begin(), exponents_.end());
}

void GraphGrid::round_couplings() {
  own_couplings_.resize(others_.size());
  neighbours_.resize(others_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) {
    double sum = 0.0, all = 0.0, squares = 0.0, error = 0.0;
    for (std::size_t k = index(first_[i]); k < index(first_[i + 1]); ++k) {
      const double coupling = inverse_units_[i] * given_couplings_[k];
      const double rounded = to_whole(coupling);
      sum += rounded;
      all += std::abs(rounded);
      squares += rounded * rounded;
      error += std::abs(coupling - rounded);
      own_couplings_[k] = static_cast<float>(rounded);
      neighbours_[k] = {others_[k], static_cast<float>(2.0 * rounded)};
    }
    down_fields_[i] = static_cast<float>(-sum);
    sums_[i] = static_cast<float>(all);
    squares_[i] = static_cast<float>(squares);
    tolerances_[i] = error == 0.0 ? 0.0f : static_cast<float>(2.0 * error) + kLeastTolerance;
  }

  if (has_one_unit_) return;
  targets_ = neighbours_;
  for (std::size_t k = 0; k < targets_.size(); ++k) {
    const double inverse_unit = inverse_units_[index(targets_[k].spin)];
    targets_[k].twice = static_cast<float>(2.0 * to_whole(inverse_unit * given_couplings_[k]));
  }
}

void GraphGrid::round_fields() {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double field = inverse_units_[i] * given_fields_[i];
    own_fields_[i] = static_cast<float>(std::clamp(field, -kLargestField, kLargestField));
    const double moved = std::abs(field - double{own_fields_[i]});
    const bool vanished = own_fields_[i] == 0.0f && given_fields_[i] != 0.0;
    if ((moved != 0.0 && std::abs(field) < kLargestField) || vanished) {
      tolerances_[i] += static_cast<float>(2.0 * moved) + kLeastTolerance;
    }
    is_rounded_ = is_rounded_ || tolerances_[i] != 0.0f;
  }
}

/// Divides the spins of each group into runs: one ends before a spin that couples to one of it.
void GraphGrid::find_runs() {
  const auto count = static_cast<std::int64_t>(order_.size());
  for (std::int64_t begin = 0; begin < count; begin += kGroup) {
    runs_begin_.push_back(static_cast<std::int64_t>(runs_.size()));
    std::int64_t first = begin;
    unsigned run = 0;
    for (std::int64_t spin = begin; spin < std::min(count, begin + kGroup); ++spin) {
      const auto earlier = others_.begin() + first_[index(spin)];
      const auto later = others_.begin() + later_[index(spin)];
      if (std::lower_bound(earlier, later, first) != later) {
        runs_.push_back(static_cast<std::uint16_t>(run));
        run = 0;
        first = spin;
      }
      run |= 1u << (spin - begin);
    }
    runs_.push_back(static_cast<std::uint16_t>(run));
  }
  runs_begin_.push_back(static_cast<std::int64_t>(runs_.size()));
}

void GraphGrid::fill_dense_rows() {
  const auto count = static_cast<std::int64_t>(order_.size());
  dense_ = make_zeroed<float>(index(count * padded(count)));
  const Neighbour* targets = has_one_unit_ ? neighbours_.data() : targets_.data();
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = dense_.get() + i * padded(count);
    for (std::int64_t k = first_[index(i)]; k < first_[index(i) + 1]; ++k) {
      row[targets[k].spin] = targets[k].twice;
    }
  }
}

/// Finds the largest quantum of which all couplings and fields are multiples, and the rows for
/// bytes if all fields are few quanta.
void GraphGrid::find_quanta() {
  if (is_rounded_ || !has_one_unit_ || others_.empty()) return;
  const auto count = static_cast<std::int64_t>(order_.size());
  std::int64_t quantum = 0;
  for (const float coupling : own_couplings_) {
    quantum = std::gcd(quantum, static_cast<std::int64_t>(coupling));
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const double field = double{own_fields_[i]};
    if (std::abs(field) > kLargestFieldOfQuanta || field != to_whole(field)) return;
    quantum = std::gcd(quantum, static_cast<std::int64_t>(field));
  }

  int most_places = 0;
  quantum_ = static_cast<double>(quantum);
  for (std::int64_t i = 0; i < count; ++i) {
    const double most = (double{sums_[i]} + std::abs(double{own_fields_[i]})) / quantum_;
    if (most > kMostQuanta) return;
    const auto down =
        static_cast<int>((double{own_fields_[i]} + double{down_fields_[i]}) / quantum_);
    const int parity = down & 1;
    parity_.push_back(static_cast<std::uint8_t>(parity));
    base_.push_back(static_cast<std::int8_t>((down - parity) / 2));
    most_places = std::max(most_places, 2 + (static_cast<int>(most) - parity) / 2);
  }

  quanta_neighbours_.resize(others_.size());
  for (std::size_t k = 0; k < others_.size(); ++k) {
    const auto coupling = static_cast<int>(double{own_couplings_[k]} / quantum_);
    const std::uint32_t bytes = static_cast<std::uint8_t>(coupling) * kEachByte;
    quanta_neighbours_[k] = {others_[k], static_cast<std::int32_t>(bytes)};
  }
  has_quanta_ = true;
  quanta_ = {.num_spins = count,
             .first = first_.data(),
             .neighbours = quanta_neighbours_.data(),
             .base = base_.data(),
             .parity = parity_.data(),
             .num_tables = (most_places + kTableEntries - 1) / kTableEntries};
}

void GraphGrid::fill_tables(float slope, std::uint8_t* tables) const {
  const int num_places = quanta_.num_tables * kTableEntries;
  for (int parity = 0; parity < 2; ++parity) {
    for (int place = 0; place < num_places; ++place) {
      const int cost = place == 0 ? 0 : 2 * (place - 1) + parity;
      const std::uint32_t values = accepted_values(-double{slope} * (cost * quantum_));
      std::uint8_t* to = tables + (parity * quanta_.num_tables + place / kTableEntries) *
                                      kThresholdBytes * kTableEntries;
      for (int byte = 0; byte < kThresholdBytes; ++byte) {
        to[byte * kTableEntries + place % kTableEntries] =
            static_cast<std::uint8_t>(values >> (kBitsOfByte * byte));
      }
    }
  }
}

}  // namespace isingprop
