#include "chains/chains.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// The own field of padded lanes. Their spins are up and stay so, except at beta = 0, where their
/// flips are not marked.
constexpr float kPaddingField = -1e30f;
constexpr double kLargestField = 1e30;
constexpr double kTwoOverLn2 = 2.8853900817779268;
/// Multiplied by the 2^23 of acceptance.h, this is still a float.
constexpr double kLargestSlope = 0x1p104;

std::size_t length(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Writes scale * fields, and returns the sum of their squares in partial sums that are the same on
/// every target.
template <class Real>
double scale_fields(const Real* fields, std::int64_t num_spins, double scale, float* scaled) {
  double squares[kBlock] = {};
  for (std::int64_t i = 0; i < num_spins; ++i) {
    const double field = scale * static_cast<double>(fields[i]);
    scaled[i] = static_cast<float>(field);
    squares[i % kBlock] += field * field;
  }

  double total = 0.0;
  for (const double square : squares) total += square;
  return total;
}

template <class Real>
double largest_of(const Real* fields, std::int64_t count) {
  double largest = 0.0;
  bool good = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const double size = std::abs(static_cast<double>(fields[i]));
    good &= size <= kLargestField;
    largest = std::max(largest, size);
  }
  if (!good) throw std::invalid_argument("fields must be finite and at most 1e30");
  return largest;
}

}  // namespace

Chains::Chains(std::int64_t num_hidden, std::int64_t num_output, const CouplingGrid& grid,
               std::int64_t count)
    : grid_(grid),
      size_(padded(num_hidden) + padded(num_output)),
      own_(make_zeroed<float>(length((3 + count) * size_))),
      coupling_(own_.get() + 3 * size_),
      words_(make_zeroed<std::uint32_t>(length(size_ + count * (size_ + kGeneratorWords)))),
      flips_(make_zeroed<std::uint64_t>(
          length(num_flip_words(num_hidden) + num_flip_words(num_output)))) {
  std::fill_n(own_.get(), 2 * size_, kPaddingField);

  const std::int64_t output = padded(num_hidden);  // where the output layer begins in each array
  float* thresholds = own_.get() + 2 * size_;
  std::uint32_t* generators = words_.get() + (count + 1) * size_;
  for (std::int64_t k = 0; k < count; ++k) {
    float* fields = coupling_ + k * size_;
    std::uint32_t* signs = words_.get() + (k + 1) * size_;
    chains_.push_back({.hidden = {.num_spins = num_hidden,
                                  .own_fields = own_.get(),
                                  .down_fields = grid.hidden_down(),
                                  .rows = grid.hidden_rows(),
                                  .spans = grid.hidden_spans(),
                                  .coupling_fields = fields,
                                  .thresholds = thresholds,
                                  .randoms = words_.get(),
                                  .signs = signs,
                                  .flips = flips_.get()},
                       .output = {.num_spins = num_output,
                                  .own_fields = own_.get() + output,
                                  .down_fields = grid.output_down(),
                                  .rows = grid.output_rows(),
                                  .spans = grid.output_spans(),
                                  .coupling_fields = fields + output,
                                  .thresholds = thresholds + output,
                                  .randoms = words_.get() + output,
                                  .signs = signs + output,
                                  .flips = flips_.get() + num_flip_words(num_hidden)},
                       .generator = generators + k * kGeneratorWords});
  }
}

template <class Real>
void Chains::load_fields(const Problem<Real>& problem, std::int64_t b) {
  const double scale = std::ldexp(1.0, -grid_.exponent());
  float* fields = own_.get() + size_;
  float* output_fields = fields + padded(problem.num_hidden);
  const double squares =
      scale_fields(problem.hidden_of(b), problem.num_hidden, scale, fields) +
      scale_fields(problem.output_of(b), problem.num_output, scale, output_fields);
  std::copy_n(fields, size_, own_.get());

  // The mean of f_i^2 over the spins i of a random state is
  // (sum_i h_i^2 + sum_a g_a^2 + 2 sum_ia J_ia^2) / num_spins. If that is 0, any unit will do.
  const double sum = squares + 2.0 * grid_.sum_of_squares();
  const double mean_square = sum / static_cast<double>(problem.num_spins());
  rms_field_ = mean_square > 0.0 ? std::sqrt(mean_square) : 1.0;
}

float Chains::slope(double beta, bool relative) const {
  const double unit = relative ? 1.0 / rms_field_ : std::ldexp(1.0, grid_.exponent());
  return static_cast<float>(std::min(kTwoOverLn2 * (unit * beta), kLargestSlope));
}

double Chains::unit(bool relative) const {
  return relative ? std::ldexp(rms_field_, grid_.exponent()) : 1.0;
}

double Chains::scaled(double field) const { return std::ldexp(field, -grid_.exponent()); }

void Chains::pull(const Chain& reference, float bias) {
  float* own = own_.get();
  for (const Layer* layer : {&reference.hidden, &reference.output}) {
    const float* fields = own + size_;  // of the problem
    for (std::int64_t i = 0; i < layer->num_spins; ++i) {
      own[i] = fields[i] - (layer->signs[i] == 0 ? bias : -bias);
    }
    own += padded(layer->num_spins);
  }
}

void Chains::copy(std::int64_t from, std::int64_t to) {
  std::copy_n(coupling_ + from * size_, size_, coupling_ + to * size_);
  std::copy_n(words_.get() + (from + 1) * size_, size_, words_.get() + (to + 1) * size_);
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

template <class Real>
double largest_field(const Problem<Real>& problem) {
  const std::int64_t output_rows = problem.one_output_row ? 1 : problem.num_problems;
  return std::max(largest_of(problem.hidden_fields, problem.num_problems * problem.num_hidden),
                  largest_of(problem.output_fields, output_rows * problem.num_output));
}

InterruptTimer::InterruptTimer(const Chain& chain, Interrupt& interrupt, bool may_poll)
    : interrupt_(interrupt), may_poll_(may_poll) {
  const std::int64_t num_hidden = chain.hidden.num_spins, num_output = chain.output.num_spins;
  const std::int64_t num_spins = num_hidden + num_output;
  const std::int64_t work_per_sweep = 1 + num_hidden * num_output / kBlock + num_spins;
  sweeps_ = std::max<std::int64_t>(1, kWorkPerPoll / work_per_sweep);
}

template void Chains::load_fields(const Problem<float>&, std::int64_t);
template void Chains::load_fields(const Problem<double>&, std::int64_t);
template double largest_field(const Problem<float>&);
template double largest_field(const Problem<double>&);

}  // namespace isingprop
