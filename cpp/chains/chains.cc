#include "chains/chains.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "chains/exact_descent.h"
#include "targets/dispatch.h"
#include "util/powers_of_two.h"

namespace isingprop {
namespace {

/// The own field of padded lanes. Their spins are up and stay so, except at beta = 0, where their
/// flips are not marked.
constexpr float kPaddingField = -1e30f;
/// The largest pull, in units of the grid.
constexpr float kLargestPull = 0x1p100f;
constexpr int kSharedArrays = 5;  // of floats
/// The least tolerance of a field that is not exact: more than float rounds off at its smallest.
constexpr float kLeastTolerance = 0x1p-147f;
constexpr double kLargestDouble = std::numeric_limits<double>::max();

std::size_t length(std::int64_t count) { return static_cast<std::size_t>(count); }

}  // namespace

Chains::Chains(const CouplingGrid& grid, std::int64_t count, BetaUnit unit)
    : grid_(grid),
      unit_(unit),
      size_(padded(grid.num_hidden()) + padded(grid.num_output())),
      own_(make_zeroed<float>(length((kSharedArrays + count) * size_))),
      fields_(own_.get() + size_),
      tolerances_(own_.get() + 3 * size_),
      gains_(own_.get() + 4 * size_),
      coupling_(own_.get() + kSharedArrays * size_),
      words_(make_zeroed<std::uint32_t>(length(size_ + count * (size_ + kGeneratorWords)))),
      flips_(make_zeroed<std::uint64_t>(
          length(num_flip_words(grid.num_hidden()) + num_flip_words(grid.num_output())))),
      inverse_units_(length(size_)) {
  std::fill_n(own_.get(), 2 * size_, kPaddingField);
  std::fill_n(gains_, size_, 1.0f);
  double least = kLargestDouble, most = 0.0;  // of the sums of J^2
  for (std::int64_t at = 0; at < size_; ++at) {
    inverse_units_[length(at)] = std::ldexp(1.0, -grid.exponent(at));
    const auto squares = double{grid.squares()[at]};
    if (squares == 0.0) continue;
    least = std::min(least, squares);
    most = std::max(most, squares);
  }
  is_even_ = most <= kEvenRatio * kEvenRatio * least;

  const std::int64_t output = padded(grid.num_hidden());  // where outputs begin in each array
  float* thresholds = own_.get() + 2 * size_;
  std::uint32_t* generators = words_.get() + (count + 1) * size_;
  for (std::int64_t k = 0; k < count; ++k) {
    float* coupling_fields = coupling_ + k * size_;
    std::uint32_t* signs = words_.get() + (k + 1) * size_;
    chains_.push_back({.hidden = {.num_spins = grid.num_hidden(),
                                  .own_fields = own_.get(),
                                  .down_fields = grid.hidden_down(),
                                  .rows = grid.hidden_rows(),
                                  .spans = grid.hidden_spans(),
                                  .coupling_fields = coupling_fields,
                                  .thresholds = thresholds,
                                  .randoms = words_.get(),
                                  .signs = signs,
                                  .flips = flips_.get(),
                                  .tolerances = tolerances_},
                       .output = {.num_spins = grid.num_output(),
                                  .own_fields = own_.get() + output,
                                  .down_fields = grid.output_down(),
                                  .rows = grid.output_rows(),
                                  .spans = grid.output_spans(),
                                  .coupling_fields = coupling_fields + output,
                                  .thresholds = thresholds + output,
                                  .randoms = words_.get() + output,
                                  .signs = signs + output,
                                  .flips = flips_.get() + num_flip_words(grid.num_hidden()),
                                  .tolerances = tolerances_ + output},
                       .generator = generators + k * kGeneratorWords});
  }
}

/// Writes the fields of a layer in the units of the grid, with bounds of their errors. The squares
/// are summed in partial sums that are the same on every target.
template <class Real>
Chains::LayerSums Chains::scale_fields(const Real* given, const Layer& layer, std::int64_t first) {
  const double* inverse_units = inverse_units_.data() + first;
  const float *sums = grid_.sums() + first, *errors = grid_.errors() + first;
  float *fields = fields_ + first, *tolerances = tolerances_ + first;
  double squares[kBlock] = {};
  LayerSums result;
  bool changed = false;
  for (std::int64_t i = 0; i < layer.num_spins; ++i) {
    const double field = inverse_units[i] * static_cast<double>(given[i]);
    const auto rounded = static_cast<float>(field);
    changed |= fields[i] != rounded;
    fields[i] = rounded;
    tolerances[i] = errors[i];
    if (field != double{rounded} || (rounded == 0.0f && given[i] != Real{0})) {
      const auto moved = static_cast<float>(2.0 * std::abs(field - double{rounded}));
      tolerances[i] += std::max(moved, kLeastTolerance);
    }

    const bool is_pinned = std::abs(rounded) > sums[i];
    result.num_pinned += is_pinned;
    squares[i % kBlock] += is_pinned ? 0.0 : field * field;
  }

  changed_ |= changed;
  gains_are_stale_ |= changed;
  for (const double square : squares) result.squares += square;
  return result;
}

template <class Real>
bool Chains::load_fields(const Problem<Real>& problem, std::int64_t b) {
  const Layer &hidden = chains_.front().hidden, &output = chains_.front().output;
  hidden_ = scale_fields(problem.hidden_of(b), hidden, 0);
  output_ = scale_fields(problem.output_of(b), output, padded(hidden.num_spins));
  std::copy_n(fields_, size_, own_.get());

  const bool had_one_scale = has_one_scale_;
  const double slope_unit = slope_unit_;
  has_one_scale_ = unit_.relative && find_one_scale();
  const bool needs_gains = grid_.is_graded() || (unit_.relative && !has_one_scale_);
  const bool finds_gains = needs_gains && gains_are_stale_;
  if (finds_gains) find_gains();
  if (needs_gains) {
    slope_unit_ = gain_unit_;
  } else {
    slope_unit_ = unit_.relative ? 1.0 / rms_field_ : std::ldexp(1.0, grid_.exponent());
  }

  const bool differ = needs_gains && log2_least_gain_ < 0.0;
  for (Chain& chain : chains_) {
    chain.hidden.gains = differ ? gains_ : nullptr;
    chain.output.gains = differ ? gains_ + padded(hidden.num_spins) : nullptr;
  }
  return finds_gains || slope_unit_ != slope_unit || has_one_scale_ != had_one_scale;
}

/// Finds the one scale that spins have who all couple to each other, without looking at each; see
/// LocalScales. Returns whether they have one.
bool Chains::find_one_scale() {
  if (!grid_.is_one_part() || !is_even_) return false;
  const Layer &hidden = chains_.front().hidden, &output = chains_.front().output;
  const std::int64_t num_hidden = hidden.num_spins - hidden_.num_pinned;
  const std::int64_t num_output = output.num_spins - output_.num_pinned;
  if (num_hidden == 0 || num_output == 0) return false;

  const std::int64_t first = padded(hidden.num_spins);  // of the outputs
  double hidden_pinned = 0.0, output_pinned = 0.0;
  if (hidden_.num_pinned > 0) hidden_pinned = pinned_squares(0, hidden.num_spins);
  if (output_.num_pinned > 0) output_pinned = pinned_squares(first, output.num_spins);
  const double of_hidden_couplings = grid_.sum_of_squares() - hidden_pinned;
  const double of_output_couplings = grid_.sum_of_squares() - output_pinned;

  // The means of h_i^2 + sum_j J_ij^2 over the free spins. The sums are in this order, because the
  // states depend on their last bits.
  const double pinned = hidden_pinned + output_pinned;
  const double couplings = 2.0 * grid_.sum_of_squares() - pinned;
  double sum = hidden_.squares + output_.squares + couplings;
  double hidden_sum = hidden_.squares + of_hidden_couplings;
  double output_sum = output_.squares + of_output_couplings;
  if (sum > kLargestStretch * kLargestStretch * couplings) return false;

  if (grid_.coherence() > 0.0 && hidden_.squares + output_.squares <= couplings) {
    const double factor = std::sqrt(grid_.coherence());
    hidden_sum += factor * (square_sums(0, hidden.num_spins) - of_hidden_couplings);
    output_sum += factor * (square_sums(first, output.num_spins) - of_output_couplings);
    sum = hidden_sum + output_sum;
  }
  rms_field_ = std::sqrt(sum / static_cast<double>(num_hidden + num_output));

  // f_i^2 of a hidden spin is the mean over it and all free outputs, and the reverse.
  const double of_hidden = output_sum / static_cast<double>(num_output);
  const double of_output = hidden_sum / static_cast<double>(num_hidden);
  const double least = std::min(of_hidden, of_output), most = std::max(of_hidden, of_output);
  return least > 0.0 && most <= kOneScaleRatio * kOneScaleRatio * least;
}

/// Returns the sum of J_ij^2 over the pinned ones i of `count` spins from `first` on, and all j.
double Chains::pinned_squares(std::int64_t first, std::int64_t count) const {
  double squares = 0.0;
  for (std::int64_t at = first; at < first + count; ++at) {
    if (std::abs(fields_[at]) > grid_.sums()[at]) squares += double{grid_.squares()[at]};
  }
  return squares;
}

/// Returns the sum of (sum_j |J_ij|)^2 over the free ones of `count` spins from `first` on.
double Chains::square_sums(std::int64_t first, std::int64_t count) const {
  double squares = 0.0;
  for (std::int64_t at = first; at < first + count; ++at) {
    const double sum = double{grid_.sums()[at]};
    if (std::abs(double{fields_[at]}) <= sum) squares += sum * sum;
  }
  return squares;
}

LocalScales& Chains::local_scales() {
  if (!scales_) scales_ = std::make_unique<LocalScales>(grid_);
  if (changed_) scales_->load(fields_);
  changed_ = false;
  return *scales_;
}

/// Finds the gain of each spin, the largest of which is 1: its unit, over the scale of its part.
void Chains::find_gains() {
  const std::int64_t num_hidden = grid_.num_hidden(), output = padded(num_hidden);
  const LocalScales* scales = unit_.relative ? &local_scales() : nullptr;
  std::vector<std::int64_t> spins;  // on which anything acts; for the others any gain will do
  for (std::int64_t at = 0; at < output + grid_.num_output(); ++at) {
    const bool is_padding = at >= num_hidden && at < output;
    if (!is_padding && (grid_.sums()[at] != 0.0f || fields_[at] != 0.0f)) spins.push_back(at);
  }

  const auto log_gain = [&](std::int64_t at) {
    return grid_.exponent(at) - grid_.exponent() - (scales ? scales->log2_scale(at) : 0.0);
  };
  // With a reduced beta the units cancel.
  const int exponent = scales ? 0 : grid_.exponent();
  const double largest = scales ? scales->reduced(unit_.largest) : unit_.largest;
  const Gains found = isingprop::find_gains(spins, log_gain, exponent, largest, gains_);
  gain_unit_ = found.unit;
  log2_least_gain_ = found.log2_least;
  gains_are_stale_ = false;
}

float Chains::slope(double beta) const {
  const bool maps = unit_.relative && !has_one_scale_;
  const double reduced = maps ? scales_->reduced(beta) : beta;
  return static_cast<float>(std::min(kTwoOverLn2 * (slope_unit_ * reduced), double{kLargestSlope}));
}

double Chains::absolute(double relative) {
  if (!unit_.relative) has_one_scale_ = find_one_scale();  // nothing else has asked for it
  int exponent = grid_.exponent();
  double beta = relative / rms_field_;
  if (!has_one_scale_) {
    const LocalScales& scales = local_scales();
    const double mean = scales.mean_log2_scale(), whole = std::floor(mean);
    exponent += static_cast<int>(whole);  // apart, because 2^mean may not be a double
    beta = scales.reduced(relative) * power_of_two(whole - mean);
  }
  return std::min(std::ldexp(beta, -exponent), kLargestDouble);
}

void Chains::pull(const Chain& reference, double bias) {
  float* own = own_.get();
  std::int64_t first = 0;
  for (const Layer* layer : {&reference.hidden, &reference.output}) {
    for (std::int64_t i = 0; i < layer->num_spins; ++i) {
      const auto scaled = static_cast<float>(
          std::min(inverse_units_[length(first + i)] * bias, double{kLargestPull}));
      own[first + i] = fields_[first + i] - (layer->signs[i] == 0 ? scaled : -scaled);
    }
    first += padded(layer->num_spins);
  }
}

void Chains::copy(std::int64_t from, std::int64_t to) {
  std::copy_n(coupling_ + from * size_, size_, coupling_ + to * size_);
  std::copy_n(words_.get() + (from + 1) * size_, size_, words_.get() + (to + 1) * size_);
}

template <class Real>
void Chains::descend(const Problem<Real>& problem, std::int64_t b, std::int64_t k, bool begins,
                     std::int8_t* spins) const {
  const Chain& chain = (*this)[k];
  kernels().descend(chain, begins);
  write_spins(chain, spins);
  if (!kernels().settled(chain)) descend_exactly(problem, b, chain, spins);
}

void read_spins(const std::int8_t* spins, const Chain& chain) {
  for (const Layer* layer : {&chain.hidden, &chain.output}) {
    for (std::int64_t i = 0; i < layer->num_spins; ++i) {
      layer->signs[i] = spins[i] < 0 ? kSignBit : 0;
    }
    spins += layer->num_spins;
  }
}

void write_spins(const Chain& chain, std::int8_t* spins) {
  constexpr int kTwiceSign = 30;  // shifts the sign bit to the place of 2, so that 1 - 2 = -1
  for (const Layer* layer : {&chain.hidden, &chain.output}) {
    for (std::int64_t i = 0; i < layer->num_spins; ++i) {
      spins[i] = static_cast<std::int8_t>(1 - static_cast<int>(layer->signs[i] >> kTwiceSign));
    }
    spins += layer->num_spins;
  }
}

void start(const std::int8_t* initial, const Chain& chain) {
  if (initial == nullptr) {
    kernels().seed_signs(chain);
  } else {
    read_spins(initial, chain);
  }
}

InterruptTimer::InterruptTimer(const Chain& chain, Interrupt& interrupt, bool may_poll)
    : interrupt_(interrupt), may_poll_(may_poll) {
  const std::int64_t num_hidden = chain.hidden.num_spins, num_output = chain.output.num_spins;
  const std::int64_t num_spins = num_hidden + num_output;
  const std::int64_t work_per_sweep = 1 + num_hidden * num_output / kBlock + num_spins;
  sweeps_ = std::max<std::int64_t>(1, kWorkPerPoll / work_per_sweep);
}

template bool Chains::load_fields(const Problem<float>&, std::int64_t);
template bool Chains::load_fields(const Problem<double>&, std::int64_t);
template void Chains::descend(const Problem<float>&, std::int64_t, std::int64_t, bool,
                              std::int8_t*) const;
template void Chains::descend(const Problem<double>&, std::int64_t, std::int64_t, bool,
                              std::int8_t*) const;

}  // namespace isingprop
