#include "chains/chains.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "targets/dispatch.h"

namespace isingprop {
namespace {

/// The field of a padded lane: its spin is up and flips at no temperature that is worth the name;
/// where it does, at beta = 0, that is not noted.
constexpr float kPaddingField = -1e30f;
constexpr double kLargestField = 1e30;
constexpr double kTwoOverLn2 = 2.8853900817779268;
/// Times the 2^23 of kernels/acceptance.h it is still a float.
constexpr double kLargestSlope = 0x1p104;

std::size_t length(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Takes fields * scale and gives the sum of their squares, in partial sums that are the same on
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
      own_(make_aligned<float>(length((3 + count) * size_))),
      coupling_(own_.get() + 3 * size_),
      words_(make_aligned<std::uint32_t>(length(size_ + count * (size_ + kGeneratorWords)))),
      flips_(make_aligned<std::uint64_t>(
          length(num_flip_words(num_hidden) + num_flip_words(num_output)))) {
  std::fill_n(own_.get(), 2 * size_, kPaddingField);
  const std::int64_t output = padded(num_hidden);
  std::uint64_t* output_flips = flips_.get() + num_flip_words(num_hidden);
  for (std::int64_t k = 0; k < count; ++k) {
    float* fields = coupling_ + k * size_;
    std::uint32_t* signs = words_.get() + (k + 1) * size_;
    chains_.push_back(
        {{num_hidden, own_.get(), grid.hidden_down(), grid.hidden_rows(), grid.hidden_spans(),
          fields, own_.get() + 2 * size_, words_.get(), signs, flips_.get()},
         {num_output, own_.get() + output, grid.output_down(), grid.output_rows(),
          grid.output_spans(), fields + output, own_.get() + 2 * size_ + output,
          words_.get() + output, signs + output, output_flips},
         words_.get() + (count + 1) * size_ + k * kGeneratorWords});
  }
}

template <class Real>
void Chains::load_fields(const Problem<Real>& problem, std::int64_t b) {
  const double scale = std::ldexp(1.0, -grid_.exponent());
  float* fields = own_.get() + size_;
  const double squares = scale_fields(problem.hidden_of(b), problem.num_hidden, scale, fields) +
                         scale_fields(problem.output_of(b), problem.num_output, scale,
                                      fields + padded(problem.num_hidden));
  std::copy_n(fields, size_, own_.get());
  // f^2 = (sum_i h_i^2 + sum_a g_a^2 + 2 sum_ia J_ia^2) / (num_hidden + num_output); where that is
  // 0, any unit will do.
  const double square =
      (squares + 2.0 * grid_.sum_of_squares()) / static_cast<double>(problem.num_spins());
  rms_field_ = square > 0.0 ? std::sqrt(square) : 1.0;
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
    const float* fields = own + size_;
    for (std::int64_t i = 0; i < layer->num_spins; ++i)
      own[i] = fields[i] - (layer->signs[i] == 0 ? bias : -bias);
    own += padded(layer->num_spins);
  }
}

void Chains::copy(std::int64_t from, std::int64_t to) {
  std::copy_n(coupling_ + from * size_, size_, coupling_ + to * size_);
  std::copy_n(words_.get() + (from + 1) * size_, size_, words_.get() + (to + 1) * size_);
}

void read_spins(const std::int8_t* spins, const Chain& chain) {
  for (const Layer* layer : {&chain.hidden, &chain.output}) {
    for (std::int64_t i = 0; i < layer->num_spins; ++i)
      layer->signs[i] = spins[i] < 0 ? kSignBit : 0;
    spins += layer->num_spins;
  }
}

void write_spins(const Chain& chain, std::int8_t* spins) {
  constexpr int kTwiceSign = 30;  // shifts the sign bit down to 2
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

Watch::Watch(const Chain& chain, Interrupt& interrupt, bool asks)
    : interrupt_(interrupt), asks_(asks) {
  const std::int64_t num_hidden = chain.hidden.num_spins, num_output = chain.output.num_spins;
  const std::int64_t work = 1 + num_hidden * num_output / kBlock + num_hidden + num_output;
  sweeps_ = std::max<std::int64_t>(1, kWorkPerPoll / work);
}

template void Chains::load_fields(const Problem<float>&, std::int64_t);
template void Chains::load_fields(const Problem<double>&, std::int64_t);
template double largest_field(const Problem<float>&);
template double largest_field(const Problem<double>&);

}  // namespace isingprop
