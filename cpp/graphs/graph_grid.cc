#include "graphs/graph_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace isingprop {
namespace {

/// Rows of all couplings are made for at most this many spins, whose rows take 256 MB.
constexpr std::int64_t kMostDenseSpins = 8192;
/// The least part of the pairs that couple in a dense graph, as 1 / kDensePart.
constexpr std::int64_t kDensePart = 4;
/// Sums of |J| are at most 2 to this power, in units.
constexpr int kSumBits = 23;
/// The largest difference between the exponents of spins that share one unit.
constexpr int kOneUnitBits = 10;
constexpr double kLargestNumber = 1e300;
/// The largest field, in units.
constexpr double kLargestField = 0x1p100;
/// More than what float rounds off at its smallest.
constexpr float kLeastTolerance = 0x1p-147f;
constexpr int kArrays = 6;

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
  if (std::abs(number) <= kLargestNumber) return;
  throw std::invalid_argument(std::string(what) + " must be finite and at most 1e300, got " +
                              std::to_string(number));
}

bool is_dense_graph(const GraphProblem& problem) {
  const std::int64_t count = problem.num_spins;
  return count <= kMostDenseSpins && problem.num_couplings > 0 &&
         2 * kDensePart * problem.num_couplings >= count * (count - 1);
}

}  // namespace

GraphGrid::GraphGrid(const GraphProblem& problem) : problem_(problem) {
  for (std::int64_t i = 0; i < problem.num_spins; ++i) check(problem.fields[i], "fields");
  for (std::int64_t k = 0; k < problem.num_couplings; ++k) check(problem.couplings[k], "couplings");

  const bool is_dense = is_dense_graph(problem);
  allocate();
  order_spins(is_dense);
  choose_units();
  round_couplings();
  round_fields();
  if (is_dense) {
    fill_dense_rows();
  } else {
    fill_neighbours();
    find_runs();
  }

  given_ = {.num_spins = problem.num_spins,
            .num_couplings = problem.num_couplings,
            .places = places_.data(),
            .couplings = problem.couplings,
            .fields = fields_.data()};
  rows_ = {.num_spins = problem.num_spins,
           .first = lists_.first.data(),
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

void GraphGrid::allocate() {
  const std::int64_t length = padded(problem_.num_spins);
  memory_ = make_zeroed<float>(index(kArrays * length));
  float** arrays[] = {&own_fields_, &down_fields_, &gains_, &tolerances_, &sums_, &squares_};
  for (std::int64_t k = 0; k < kArrays; ++k) *arrays[k] = memory_.get() + k * length;
  std::fill_n(gains_, length, 1.0f);
}

void GraphGrid::order_spins(bool is_dense) {
  order_.resize(index(problem_.num_spins));
  std::iota(order_.begin(), order_.end(), 0);
  if (!is_dense) {
    const CouplingLists lists = list_couplings(problem_);
    order_ = sweep_order(lists);
    std::call_once(lists_are_made_, [&] { lists_ = sorted(lists, order_); });
  }

  std::vector<std::int32_t> places(order_.size());
  for (std::size_t place = 0; place < order_.size(); ++place) {
    places[index(order_[place])] = static_cast<std::int32_t>(place);
    fields_.push_back(problem_.fields[order_[place]]);
  }
  places_.resize(index(2 * problem_.num_couplings));
  for (std::size_t k = 0; k < places_.size(); ++k) {
    places_[k] = places[index(problem_.ends[k])];
  }
}

const CouplingLists& GraphGrid::lists() const {
  std::call_once(lists_are_made_, [&] { lists_ = sorted(list_couplings(problem_), order_); });
  return lists_;
}

void GraphGrid::set_gains(const std::vector<float>& gains) {
  std::copy(gains.begin(), gains.end(), gains_);
  rows_.has_gains = std::any_of(gains.begin(), gains.end(), [](float x) { return x != 1.0f; });
}

/// Chooses the units by the sums of |J|. A spin without couplings has the unit of its field.
void GraphGrid::choose_units() {
  std::vector<double> sums(order_.size());
  for (std::int64_t k = 0; k < problem_.num_couplings; ++k) {
    const double size = std::abs(problem_.couplings[k]);
    sums[index(places_[index(2 * k)])] += size;
    sums[index(places_[index(2 * k + 1)])] += size;
  }

  int least = std::numeric_limits<int>::max(), most = std::numeric_limits<int>::min();
  for (const double sum : sums) {
    check(sum, "sums of |couplings|");
    if (sum == 0.0) continue;
    least = std::min(least, unit_of(sum));
    most = std::max(most, unit_of(sum));
  }

  const bool has_couplings = least <= most;
  has_one_unit_ = !has_couplings || most - least <= kOneUnitBits;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double size = sums[i] > 0.0 ? sums[i] : std::abs(fields_[i]);
    int unit = size > 0.0 ? unit_of(size) : 0;
    if (has_one_unit_ && has_couplings) unit = most;
    exponents_.push_back(unit);
    inverse_units_.push_back(std::ldexp(1.0, -unit));
  }
  exponent_ = *std::max_element(exponents_.begin(), exponents_.end());
}

void GraphGrid::round_couplings() {
  std::vector<double> errors(order_.size());
  for (std::int64_t k = 0; k < problem_.num_couplings; ++k) {
    for (std::int64_t end = 2 * k; end < 2 * k + 2; ++end) {
      const std::size_t place = index(places_[index(end)]);
      const double coupling = inverse_units_[place] * problem_.couplings[k];
      const double rounded = to_whole(coupling);
      down_fields_[place] -= static_cast<float>(rounded);
      sums_[place] += static_cast<float>(std::abs(rounded));
      squares_[place] += static_cast<float>(rounded * rounded);
      errors[place] += std::abs(coupling - rounded);
    }
  }
  for (std::size_t place = 0; place < order_.size(); ++place) {
    if (errors[place] == 0.0) continue;
    tolerances_[place] = static_cast<float>(2.0 * errors[place]) + kLeastTolerance;
  }
}

void GraphGrid::round_fields() {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double field = inverse_units_[i] * fields_[i];
    own_fields_[i] = static_cast<float>(std::clamp(field, -kLargestField, kLargestField));
    const double moved = std::abs(field - double{own_fields_[i]});
    const bool vanished = own_fields_[i] == 0.0f && fields_[i] != 0.0;
    if ((moved != 0.0 && std::abs(field) < kLargestField) || vanished) {
      tolerances_[i] += static_cast<float>(2.0 * moved) + kLeastTolerance;
    }
    is_rounded_ = is_rounded_ || tolerances_[i] != 0.0f;
  }
}

void GraphGrid::fill_neighbours() {
  neighbours_.resize(lists_.others.size());
  if (!has_one_unit_) targets_.resize(lists_.others.size());
  for (std::size_t place = 0; place < order_.size(); ++place) {
    for (std::size_t k = index(lists_.first[place]); k < index(lists_.first[place + 1]); ++k) {
      const std::int32_t other = lists_.others[k];
      const double twice = 2.0 * to_whole(inverse_units_[place] * lists_.couplings[k]);
      neighbours_[k] = {other, static_cast<float>(twice)};
      if (has_one_unit_) continue;
      const double there = 2.0 * to_whole(inverse_units_[index(other)] * lists_.couplings[k]);
      targets_[k] = {other, static_cast<float>(there)};
    }
  }
}

/// Divides the spins of each group into runs: one ends before a spin that couples to one of it.
void GraphGrid::find_runs() {
  for (std::int64_t begin = 0; begin < num_spins(); begin += kGroup) {
    runs_begin_.push_back(static_cast<std::int64_t>(runs_.size()));
    std::int64_t first = begin;
    unsigned run = 0;
    for (std::int64_t place = begin; place < std::min(num_spins(), begin + kGroup); ++place) {
      const auto others = lists_.others.begin() + lists_.first[index(place)];
      const auto end = lists_.others.begin() + lists_.first[index(place) + 1];
      const auto earlier = std::lower_bound(others, end, first);
      if (earlier != end && *earlier < place) {
        runs_.push_back(static_cast<std::uint16_t>(run));
        run = 0;
        first = place;
      }
      run |= 1u << (place - begin);
    }
    runs_.push_back(static_cast<std::uint16_t>(run));
  }
  runs_begin_.push_back(static_cast<std::int64_t>(runs_.size()));
}

void GraphGrid::fill_dense_rows() {
  const std::int64_t stride = padded(num_spins());
  dense_ = make_zeroed<float>(index(num_spins() * stride));
  for (std::int64_t k = 0; k < problem_.num_couplings; ++k) {
    const std::int64_t u = places_[index(2 * k)], v = places_[index(2 * k + 1)];
    const double twice = 2.0 * to_whole(inverse_units_[index(v)] * problem_.couplings[k]);
    const double back = 2.0 * to_whole(inverse_units_[index(u)] * problem_.couplings[k]);
    dense_[index(u * stride + v)] = static_cast<float>(twice);
    dense_[index(v * stride + u)] = static_cast<float>(back);
  }
}

}  // namespace isingprop
