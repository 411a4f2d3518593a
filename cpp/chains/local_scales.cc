#include "chains/local_scales.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "util/powers_of_two.h"

namespace isingprop {
namespace {

/// The window of a spin, in units of 1 / f and 1 / q, and the part of the sweeps that is left out
/// at each end.
constexpr double kHot = 0.88, kCold = 8.8, kLeftOut = 0.05;
/// Weights of windows are between 1 / kLargestWeight and kLargestWeight.
constexpr double kLargestWeight = 2.0;
/// Squares of two units are taken as at most this power of two apart.
constexpr int kLargestShift = 800;
/// A spin's windows end where its least field, |h_i| nearly cancelled by sum_j |J_ij|, is frozen:
/// kMargin times it takes the place of q_i, or q_i / kLargestMargin where that is more. Less of
/// sum_j |J_ij| than kNoMargin is a rounding error.
constexpr double kMargin = 3.0, kLargestMargin = 1000.0, kNoMargin = 1e-6;
/// Gains are such that the largest slope is at most 2 to this power.
constexpr double kLargestSlopeLog = 100.0;
constexpr double kLargestDouble = std::numeric_limits<double>::max();
/// Less than log2 of any number.
constexpr double kNothing = -1e9;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

LocalScales::LocalScales(const CouplingGrid& grid) : graph_(grid), couplings_(graph_.couplings()) {
  prepare();
}

LocalScales::LocalScales(const GraphCouplings& couplings)
    : graph_(couplings), couplings_(graph_.couplings()) {
  prepare();
}

void LocalScales::prepare() {
  const std::int64_t size = couplings_.num_spins;
  squares_.resize(index(size));
  coupling_squares_.resize(index(size));
  is_free_.resize(index(size));
  log_fields_.resize(index(size));
  log_couplings_.resize(index(size));
  scales_.resize(index(graph_.num_parts()));
  for (std::int64_t part = 0; part < graph_.num_parts(); ++part) {
    all_complete_ = all_complete_ && graph_.is_complete(part);
  }
}

/// Returns the exponent that takes a square in one log_unit to another.
int LocalScales::shift(int from, int to) {
  return std::clamp(2 * (from - to), -kLargestShift, kLargestShift);
}

void LocalScales::load(const float* fields) {
  find_free_spins(fields);
  find_log_fields();
  end_at_margins(fields);
  find_part_scales(fields);
  has_one_scale_ = find_one_scale();
  if (!has_one_scale_) share_out(windows());
}

void LocalScales::find_free_spins(const float* fields) {
  std::vector<double> excess(scales_.size());  // of fields over couplings, by part
  free_.clear();
  for (const std::int64_t spin : graph_.spins()) {
    const double field = double{fields[spin]}, couplings = double{couplings_.squares[spin]};
    is_free_[index(spin)] = std::abs(field) <= double{couplings_.sums[spin]} && couplings > 0.0;
    if (!is_free_[index(spin)]) continue;
    free_.push_back(spin);
    excess[index(graph_.part(spin))] +=
        std::ldexp(field * field - couplings, shift(log_unit(spin), 0));
  }

  for (const std::int64_t spin : free_) {
    const double field = double{fields[spin]};
    double& couplings = coupling_squares_[index(spin)];
    couplings = double{couplings_.squares[spin]};
    if (excess[index(graph_.part(spin))] <= 0.0) couplings += graph_.coherent_squares(spin);
    squares_[index(spin)] = field * field + couplings;
  }
}

/// Adds sums whose unit is 2^(shift / 2) of this one's.
void LocalScales::Squares::add(const Squares& other, int shift) {
  const double unit = shift == 0 ? 1.0 : std::ldexp(1.0, shift);
  fields += unit * other.fields;
  couplings += unit * other.couplings;
  count += other.count;
}

void LocalScales::find_log_fields() {
  find_layer_sums();
  for (const std::int64_t spin : free_) {
    const std::int64_t part = graph_.part(spin);
    Squares sum = squares_of(spin);
    if (graph_.is_complete(part) && !graph_.is_uneven(part)) {
      sum.add(layer_sums_[index(2 * part + graph_.is_hidden(spin))],
              shift(part_units_[index(part)], log_unit(spin)));
    } else if (!graph_.is_uneven(part)) {
      for (const std::int64_t other : graph_.neighbours(spin)) {
        if (!is_free_[index(other)]) continue;
        sum.add(squares_of(other), shift(log_unit(other), log_unit(spin)));
      }
    }
    log_fields_[index(spin)] = log_unit(spin) + 0.5 * log2_of(sum.fields / sum.count);
    log_couplings_[index(spin)] = log_unit(spin) + 0.5 * log2_of(sum.couplings / sum.count);
  }
}

/// Sums the squares over the outputs (index 2 * part + 1) and the hidden spins (2 * part) of each
/// complete part, in the unit of one of its spins.
void LocalScales::find_layer_sums() {
  layer_sums_.assign(2 * scales_.size(), {});
  part_units_.resize(scales_.size());
  for (const std::int64_t spin : free_) part_units_[index(graph_.part(spin))] = log_unit(spin);
  for (const std::int64_t spin : free_) {
    const std::int64_t part = graph_.part(spin);
    if (!graph_.is_complete(part)) continue;
    Squares& sum = layer_sums_[index(2 * part + !graph_.is_hidden(spin))];
    sum.add(squares_of(spin), shift(log_unit(spin), part_units_[index(part)]));
  }
}

void LocalScales::end_at_margins(const float* fields) {
  for (const std::int64_t spin : free_) {
    const std::int64_t part = graph_.part(spin);
    if (graph_.is_complete(part) && !graph_.is_uneven(part)) continue;
    const auto sum = double{couplings_.sums[spin]};
    const double margin = sum - std::abs(double{fields[spin]});
    if (margin < kNoMargin * sum) continue;

    double& couplings = coupling_squares_[index(spin)];
    const double square = std::max(kMargin * kMargin * margin * margin,
                                   couplings / (kLargestMargin * kLargestMargin));
    if (square >= couplings) continue;
    couplings = square;
    log_couplings_[index(spin)] =
        std::min(log_couplings_[index(spin)], log_unit(spin) + 0.5 * log2_of(square));
  }
}

/// Finds G of each part. That of a part without a free spin is its largest field, or 1.
void LocalScales::find_part_scales(const float* fields) {
  std::vector<double> sums(scales_.size()), counts(scales_.size());
  std::vector<double> largest(scales_.size(), kNothing);
  for (const std::int64_t spin : graph_.spins()) {
    const std::size_t part = index(graph_.part(spin));
    if (is_free_[index(spin)]) {
      sums[part] += log_fields_[index(spin)];
      counts[part] += 1.0;
    }
    const double field = std::abs(double{fields[spin]});
    if (field > 0.0) largest[part] = std::max(largest[part], log_unit(spin) + log2_of(field));
  }
  for (std::size_t part = 0; part < scales_.size(); ++part) {
    const double fallback = largest[part] > kNothing ? largest[part] : -couplings_.exponent;
    scales_[part] = counts[part] > 0.0 ? sums[part] / counts[part] : fallback;
  }

  mean_scale_ = 0.0;
  for (const std::int64_t spin : free_) mean_scale_ += log2_scale(spin);
  if (free_.empty()) {
    const double most = *std::max_element(largest.begin(), largest.end());
    mean_scale_ = most > kNothing ? most : -couplings_.exponent;
  } else {
    mean_scale_ /= static_cast<double>(free_.size());
  }
}

/// Finds the scales F and Q, and returns whether they stand for all spins.
bool LocalScales::find_one_scale() {
  log_hot_ = log_cold_ = 0.0;
  if (free_.empty()) return true;

  std::vector<double> fractions;  // of 1 / G^2, by part; the rest is a power of two
  for (const double scale : scales_) {
    fractions.push_back(power_of_two(2.0 * (std::floor(scale) - scale)));
  }
  double fields = 0.0, couplings = 0.0;
  double least_field = -kNothing, most_field = kNothing;
  double least_coupling = -kNothing, most_coupling = kNothing;
  for (const std::int64_t spin : free_) {
    const double scale = log2_scale(spin);
    const double unit = std::ldexp(fractions[index(graph_.part(spin))],
                                   2 * (log_unit(spin) - static_cast<int>(std::floor(scale))));
    fields += unit * squares_[index(spin)];
    couplings += unit * coupling_squares_[index(spin)];
    least_field = std::min(least_field, log_fields_[index(spin)] - scale);
    most_field = std::max(most_field, log_fields_[index(spin)] - scale);
    least_coupling = std::min(least_coupling, log_couplings_[index(spin)] - scale);
    most_coupling = std::max(most_coupling, log_couplings_[index(spin)] - scale);
  }

  const auto count = static_cast<double>(free_.size());
  log_hot_ = -0.5 * log2_of(fields / count);
  log_cold_ = -0.5 * log2_of(couplings / count);
  if (all_complete_ && fields <= kLargestStretch * kLargestStretch * couplings) {
    log_cold_ = log_hot_;
  }
  const double most = log2_of(kOneScaleRatio);
  return most_field - least_field <= most && most_coupling - least_coupling <= most;
}

std::vector<LocalScales::Window> LocalScales::windows() const {
  std::vector<Window> result;
  for (const std::int64_t spin : free_) {
    const double scale = log2_scale(spin), log_field = log_fields_[index(spin)] - scale;
    const double hot = log2_of(kHot) - log_field;
    const double cold = log2_of(kCold) - (log_couplings_[index(spin)] - scale);
    const double wider = (cold - hot) * kLeftOut / (1.0 - 2.0 * kLeftOut);
    const double weight = power_of_two(0.5 * log_field);
    result.push_back(
        {hot - wider, cold + wider, std::clamp(weight, 1.0 / kLargestWeight, kLargestWeight)});
  }
  return result;
}

/// Finds u at the ends of all windows. Between two ends, u grows in proportion to log beta, at the
/// rate of the windows that are open.
void LocalScales::share_out(const std::vector<Window>& windows) {
  struct End {
    double log_beta, rate;  ///< the rate that begins here, or minus the one that ends
  };
  std::vector<End> ends;
  double total = 0.0;
  for (const Window& window : windows) {
    const double rate = window.weight / (window.end - window.begin);
    ends.push_back({window.begin, rate});
    ends.push_back({window.end, -rate});
    total += window.weight;
  }
  std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) {
    return a.log_beta != b.log_beta ? a.log_beta < b.log_beta : a.rate > b.rate;
  });

  shares_.clear();
  log_betas_.clear();
  double share = 0.0, rate = 0.0, log_beta = ends.front().log_beta;
  for (const End& end : ends) {
    share += std::max(0.0, rate) * (end.log_beta - log_beta) / total;
    log_beta = end.log_beta;
    rate += end.rate;
    shares_.push_back(share);
    log_betas_.push_back(log_beta);
  }
}

double LocalScales::log_beta_at(double share) const {
  const auto after = std::upper_bound(shares_.begin(), shares_.end() - 1, share);
  const auto k = static_cast<std::size_t>(after - shares_.begin());
  const double part = (share - shares_[k - 1]) / (shares_[k] - shares_[k - 1]);
  return log_betas_[k - 1] + part * (log_betas_[k] - log_betas_[k - 1]);
}

double LocalScales::reduced(double relative) const {
  if (relative <= 0.0) return 0.0;
  if (has_one_scale_ && log_hot_ == log_cold_) return relative * power_of_two(log_hot_);

  const double length = log2_of(kCold / kHot);
  const double place = (log2_of(relative) - log2_of(kHot)) / length;
  const double inside = std::clamp(place, 0.0, 1.0);
  double log_beta = log2_of(kHot) + log_hot_ + inside * (length + log_cold_ - log_hot_);
  if (!has_one_scale_) {
    log_beta = log_beta_at((kLeftOut + (1.0 - 2.0 * kLeftOut) * inside) * shares_.back());
  }

  // Outside the range of the rule the windows are not followed any more.
  return power_of_two(log_beta + (place - inside) * length);
}

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
