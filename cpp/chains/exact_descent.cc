#include "chains/exact_descent.h"

#include <cmath>
#include <utility>

namespace isingprop {
namespace {

/// Finds the signs of local fields of problem b.
template <class Real>
class ExactFields {
 public:
  ExactFields(const Problem<Real>& problem, std::int64_t b) : problem_(problem), b_(b) {}

  /// Returns the sign of h_k + sum_j J_kj s_j.
  int sign(std::int64_t spin, const std::int8_t* spins) {
    terms_.clear();
    const std::int64_t num_hidden = problem_.num_hidden, num_output = problem_.num_output;
    if (spin < num_hidden) {
      add(problem_.hidden_of(b_)[spin], 1);
      const Real* row = problem_.couplings + spin * num_output;
      for (std::int64_t a = 0; a < num_output; ++a) add(row[a], spins[num_hidden + a]);
    } else {
      const std::int64_t a = spin - num_hidden;
      add(problem_.output_of(b_)[a], 1);
      const Real* column = problem_.couplings + a;
      for (std::int64_t i = 0; i < num_hidden; ++i) add(column[i * num_output], spins[i]);
    }

    return sign_of(terms_);
  }

 private:
  void add(Real number, std::int8_t spin) {
    if (number != Real{0}) terms_.push_back(static_cast<double>(number) * spin);
  }

  const Problem<Real>& problem_;
  std::int64_t b_;
  std::vector<double> terms_;
};

/// Returns the spins whose fields may have another sign than the chain has for them.
std::vector<std::int64_t> open_spins(const Chain& chain) {
  std::vector<std::int64_t> open;
  std::int64_t first = 0;
  for (const Layer* layer : {&chain.hidden, &chain.output}) {
    for (std::int64_t i = 0; i < layer->num_spins; ++i) {
      const float field = layer->own_fields[i] + layer->coupling_fields[i];
      const float lowering = layer->signs[i] == 0 ? field : -field;
      if (lowering > -layer->tolerances[i]) open.push_back(first + i);
    }
    first += layer->num_spins;
  }
  return open;
}

}  // namespace

int sign_of_sum(const std::vector<double>& terms) {
  std::vector<double> parts;  // do not overlap, the largest last; their sum is exact
  for (double sum : terms) {
    std::size_t count = 0;
    for (double part : parts) {
      if (std::abs(sum) < std::abs(part)) std::swap(sum, part);
      const double rounded = sum + part, error = part - (rounded - sum);
      if (error != 0.0) parts[count++] = error;
      sum = rounded;
    }
    parts.resize(count);
    if (sum != 0.0) parts.push_back(sum);
  }
  if (parts.empty()) return 0;
  return parts.back() > 0.0 ? 1 : -1;
}

int sign_of(const std::vector<double>& terms) {
  double sum = 0.0, size = 0.0;
  for (const double term : terms) {
    sum += term;
    size += std::abs(term);
  }
  const double error = 0x1p-52 * static_cast<double>(terms.size()) * size;
  if (std::abs(sum) > error) return sum > 0.0 ? 1 : -1;
  return sign_of_sum(terms);
}

template <class Real>
void descend_exactly(const Problem<Real>& problem, std::int64_t b, const Chain& chain,
                     std::int8_t* spins) {
  ExactFields<Real> fields(problem, b);
  const auto lower = [&](std::int64_t spin) {
    if (fields.sign(spin, spins) * spins[spin] <= 0) return false;
    spins[spin] = static_cast<std::int8_t>(-spins[spin]);
    return true;
  };

  bool moved = false;
  for (const std::int64_t spin : open_spins(chain)) moved |= lower(spin);
  while (std::exchange(moved, false)) {
    for (std::int64_t spin = 0; spin < problem.num_spins(); ++spin) moved |= lower(spin);
  }
}

template void descend_exactly(const Problem<float>&, std::int64_t, const Chain&, std::int8_t*);
template void descend_exactly(const Problem<double>&, std::int64_t, const Chain&, std::int8_t*);

}  // namespace isingprop
