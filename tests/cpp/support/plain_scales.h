/// The local scales of a problem, computed one spin at a time as chains/local_scales.h defines
/// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/given_problem.h"

namespace isingprop::test {

class PlainScales {
 public:
  /// Of each spin, hidden ones first; f and q are 0 where it does not count.
  std::vector<double> f, q, g;
  std::vector<int> parts;  ///< of each spin
  double coherence = 0.0;  ///< c of the first part
  bool has_one_scale = true;
  double one_scale = 1.0, one_cold_scale = 1.0;

  explicit PlainScales(const GivenProblem<double>& problem, std::int64_t b = 0) {
    const auto [num_hidden, num_output] = problem.sizes;
    count_ = size(problem.num_spins());
    num_hidden_ = size(num_hidden);
    j_.assign(count_, std::vector<double>(count_));
    for (std::int64_t i = 0; i < num_hidden; ++i) {
      for (std::int64_t a = 0; a < num_output; ++a) {
        const double coupling = problem.couplings[size(i * num_output + a)];
        j_[size(i)][size(num_hidden + a)] = j_[size(num_hidden + a)][size(i)] = coupling;
      }
    }
    const double *hidden = problem.problem().hidden_of(b), *output = problem.problem().output_of(b);
    h_.assign(hidden, hidden + num_hidden);
    h_.insert(h_.end(), output, output + num_output);
    find_parts();
    find_squares();
    find_scales();
  }

  bool counts(std::size_t i) const { return f[i] > 0.0; }

  /// Returns the share of the sweeps below a reduced beta.
  double share(double beta) const {
    double weights = 0.0, below = 0.0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!counts(i)) continue;
      const double scale = f[i] / g[i], weight = std::clamp(std::sqrt(scale), 0.5, 2.0);
      const double length = std::log(10.0 * f[i] / q[i]) / (1.0 - 2.0 * kLeftOut);
      const double place = (std::log(beta) - std::log(0.88 / scale) + kLeftOut * length) / length;
      weights += weight;
      below += weight * std::clamp(place, 0.0, 1.0);
    }
    return below / weights;
  }

  /// Returns the reduced beta of a relative one between 0.88 and 8.8.
  double reduced(double relative) const {
    const double part = std::log10(relative / 0.88);
    if (has_one_scale) return relative / one_scale * std::pow(one_scale / one_cold_scale, part);
    const double wanted = kLeftOut + (1.0 - 2.0 * kLeftOut) * part;
    double low = -700.0, high = 700.0;  // logarithms of beta
    for (int step = 0; step < 200; ++step) {
      const double middle = (low + high) / 2.0;
      (share(std::exp(middle)) < wanted ? low : high) = middle;
    }
    return std::exp(low);
  }

 private:
  static constexpr double kLeftOut = 0.05;

  void find_parts() {
    parts.assign(count_, -1);
    for (std::size_t root = 0; root < count_; ++root) {
      if (parts[root] < 0) visit(root, num_parts_++);
    }
  }
  void visit(std::size_t i, int part) {
    if (parts[i] >= 0) return;
    parts[i] = part;
    for (std::size_t k = 0; k < count_; ++k) {
      if (j_[i][k] != 0.0) visit(k, part);
    }
  }

  /// Calls visit(k, l, number of common neighbours but i, sum of the signs of J_km J_ml) for all
  /// ordered pairs of neighbours of i.
  template <class Visit>
  void for_each_pair(std::size_t i, const Visit& visit) const {
    for (std::size_t k = 0; k < count_; ++k) {
      for (std::size_t l = 0; l < count_; ++l) {
        if (k == l || j_[i][k] == 0.0 || j_[i][l] == 0.0) continue;
        double common = 0.0, signs = 0.0;
        for (std::size_t m = 0; m < count_; ++m) {
          if (m == i || j_[k][m] == 0.0 || j_[m][l] == 0.0) continue;
          common += 1.0;
          signs += (j_[k][m] > 0.0) == (j_[m][l] > 0.0) ? 1.0 : -1.0;
        }
        if (common > 0.0) visit(k, l, common, signs);
      }
    }
  }

  void find_squares() {
    squares_.assign(count_, 0.0);
    sums_.assign(count_, 0.0);
    coherent_.assign(count_, 0.0);
    std::vector<double> pairs(count_);
    std::vector<double> loops(size(num_parts_)), signs(size(num_parts_));
    for (std::size_t i = 0; i < count_; ++i) {
      for (const double coupling : j_[i]) {
        squares_[i] += coupling * coupling;
        sums_[i] += std::abs(coupling);
      }
      for_each_pair(i, [&](std::size_t k, std::size_t l, double common, double sum) {
        pairs[i] += std::abs(j_[i][k] * j_[i][l]);
        loops[size(parts[i])] += common;
        signs[size(parts[i])] += j_[i][k] * j_[i][l] > 0.0 ? sum : -sum;
      });
    }
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t part = size(parts[i]);
      const double c = loops[part] > 0.0 ? std::max(0.0, signs[part] / loops[part]) : 0.0;
      if (part == 0) coherence = c;
      coherent_[i] = c * c * pairs[i];
      if (is_complete(parts[i])) coherent_[i] = 0.0;  // the tests have small ones only
    }
  }

  /// Returns whether each spin of a part couples to all of the other layer in it.
  bool is_complete(int part) const {
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t k = 0; k < count_; ++k) {
        const bool of_both = (i < num_hidden_) != (k < num_hidden_);
        if (parts[i] == part && parts[k] == part && of_both && j_[i][k] == 0.0) return false;
      }
    }
    return true;
  }

  /// Returns whether (sum_j J_ij^2)^(1/2) differs by more than 16 in a complete part.
  bool is_uneven(int part) const {
    double least = 1e300, most = 0.0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (parts[i] != part) continue;
      least = std::min(least, couplings_[i]);
      most = std::max(most, couplings_[i]);
    }
    return is_complete(part) && most > 256.0 * least;
  }

  void find_scales() {
    std::vector<bool> free;
    std::vector<double> excess(size(num_parts_));
    couplings_ = squares_;
    for (std::size_t i = 0; i < count_; ++i) {
      free.push_back(std::abs(h_[i]) <= sums_[i] && squares_[i] > 0.0);
      if (free[i]) excess[size(parts[i])] += h_[i] * h_[i] - squares_[i];
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (excess[size(parts[i])] <= 0.0) squares_[i] += coherent_[i];
    }
    cold_squares_ = squares_;
    f.assign(count_, 0.0);
    q.assign(count_, 0.0);
    for (std::size_t i = 0; i < count_; ++i) {
      double sum = 0.0, fields = 0.0, number = 0.0;
      const bool alone = is_uneven(parts[i]);
      for (std::size_t k = 0; k < count_; ++k) {
        if (!free[k] || (k != i && (alone || j_[i][k] == 0.0))) continue;
        sum += squares_[k];
        fields += h_[k] * h_[k];
        number += 1.0;
      }
      if (!free[i]) continue;
      f[i] = std::sqrt((sum + fields) / number);
      q[i] = std::sqrt(sum / number);
      end_at_margin(i);
    }

    g.assign(count_, 0.0);
    double least = 1e300, most = 0.0, mean = 0.0, number = 0.0;
    double least_cold = 1e300, most_cold = 0.0, cold_mean = 0.0;
    for (std::size_t i = 0; i < count_; ++i) {
      double logs = 0.0, members = 0.0, largest = 0.0;
      for (std::size_t k = 0; k < count_; ++k) {
        if (parts[k] != parts[i]) continue;
        largest = std::max(largest, std::abs(h_[k]));
        if (!free[k]) continue;
        logs += std::log(f[k]);
        members += 1.0;
      }
      g[i] = members > 0.0 ? std::exp(logs / members) : largest;
      if (!free[i]) continue;
      least = std::min(least, f[i] / g[i]);
      most = std::max(most, f[i] / g[i]);
      least_cold = std::min(least_cold, q[i] / g[i]);
      most_cold = std::max(most_cold, q[i] / g[i]);
      mean += (h_[i] * h_[i] + squares_[i]) / g[i] / g[i];
      cold_mean += cold_squares_[i] / g[i] / g[i];
      number += 1.0;
    }
    has_one_scale = (most <= 4.0 * least && most_cold <= 4.0 * least_cold) || number == 0.0;
    if (number == 0.0) return;
    one_scale = std::sqrt(mean / number);
    one_cold_scale = std::sqrt(cold_mean / number);
    bool all_complete = true;
    for (int part = 0; part < num_parts_; ++part) all_complete = all_complete && is_complete(part);
    if (all_complete && one_scale <= 3.0 * one_cold_scale) one_cold_scale = one_scale;
  }

  /// Lowers q_i to three times the least field of a spin.
  void end_at_margin(std::size_t i) {
    const double margin = sums_[i] - std::abs(h_[i]), own = std::sqrt(squares_[i]);
    if ((is_complete(parts[i]) && !is_uneven(parts[i])) || margin < 1e-6 * sums_[i]) return;
    if (3.0 * margin >= own) return;
    const double cold = std::max(3.0 * margin, own / 1000.0);
    cold_squares_[i] = cold * cold;
    q[i] = std::min(q[i], cold);
  }

  std::size_t count_ = 0;
  int num_parts_ = 0;
  std::vector<std::vector<double>> j_;
  std::vector<double> h_, squares_, sums_, coherent_, couplings_, cold_squares_;
  std::size_t num_hidden_ = 0;
};

}  // namespace isingprop::test
