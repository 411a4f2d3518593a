#include "chains/local_scales.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "util/powers_of_two.h"

namespace isingprop {
namespace {

/// The window of a spin, in units of 1 / f, and the part of the sweeps that is left out at each
/// end.
constexpr double kHot = 0.88, kCold = 8.8, kLeftOut = 0.05;
/// Weights of windows are between 1 / kLargestWeight and kLargestWeight.
constexpr double kLargestWeight = 2.0;
/// Loops are not looked for among more neighbours than this, nor through spins that have more: for
/// n spins with m neighbours each, the search takes up to n m^3 steps.
constexpr std::int64_t kMostNeighbours = 32;
/// Squares of two units are taken as at most this power of two apart.
constexpr int kLargestShift = 800;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

LocalScales::LocalScales(const CouplingGrid& grid) : grid_(grid) {
  const std::int64_t output = padded(grid.num_hidden()), size = output + padded(grid.num_output());
  for (std::int64_t i = 0; i < grid.num_hidden(); ++i) spins_.push_back(i);
  for (std::int64_t a = 0; a < grid.num_output(); ++a) spins_.push_back(output + a);

  part_.resize(index(size));
  coupling_squares_.resize(index(size));
  squares_.resize(index(size));
  is_free_.resize(index(size));
  log_fields_.resize(index(size));
  find_neighbours();
  find_parts();
  add_coherent_pairs();
}

/// Lists the neighbours of each spin, in order, and sums the squares of its couplings. A coupling
/// that is 0 in the units of the one spin may not be so in those of the other.
void LocalScales::find_neighbours() {
  const std::int64_t num_hidden = grid_.num_hidden(), output = padded(num_hidden);
  const std::int64_t stride = padded(grid_.num_output()), column_stride = padded(num_hidden);
  const RowSpan *rows = grid_.hidden_spans(), *columns = grid_.output_spans();

  // Calls visit(i, a, J in the units of i, J in those of a) for all couplings that are stored.
  const auto for_each = [&](const auto& visit) {
    for (std::int64_t i = 0; i < num_hidden; ++i) {
      const RowSpan whole{.offset = i * stride, .first = 0, .last = stride / kBlock};
      const RowSpan& row = rows == nullptr ? whole : rows[i];
      const std::int64_t end = std::min(row.last * kBlock, grid_.num_output());
      for (std::int64_t a = row.first * kBlock; a < end; ++a) {
        const float of_output = grid_.hidden_rows()[row.offset + a - row.first * kBlock];
        std::int64_t at = a * column_stride + i;
        if (columns != nullptr) {
          const RowSpan& column = columns[a];
          if (i < column.first * kBlock || column.last * kBlock <= i) continue;
          at = column.offset + i - column.first * kBlock;
        }
        const float of_hidden = grid_.output_rows()[at];
        if (of_hidden != 0.0f || of_output != 0.0f) visit(i, output + a, of_hidden, of_output);
      }
    }
  };

  first_neighbour_.assign(part_.size() + 1, 0);
  for_each([&](std::int64_t i, std::int64_t a, float of_hidden, float of_output) {
    ++first_neighbour_[index(i) + 1];
    ++first_neighbour_[index(a) + 1];
    coupling_squares_[index(i)] += 0.25 * double{of_hidden} * double{of_hidden};  // rows hold 2 J
    coupling_squares_[index(a)] += 0.25 * double{of_output} * double{of_output};
  });
  std::partial_sum(first_neighbour_.begin(), first_neighbour_.end(), first_neighbour_.begin());

  neighbours_.resize(index(first_neighbour_.back()));
  couplings_.resize(neighbours_.size());
  std::vector<std::int64_t> next(first_neighbour_.begin(), first_neighbour_.end() - 1);
  for_each([&](std::int64_t i, std::int64_t a, float of_hidden, float of_output) {
    couplings_[index(next[index(i)])] = 0.5f * of_hidden;
    neighbours_[index(next[index(i)]++)] = a;
    couplings_[index(next[index(a)])] = 0.5f * of_output;
    neighbours_[index(next[index(a)]++)] = i;
  });
}

/// Numbers the parts of the problem that share no coupling, by a search from each spin in turn.
void LocalScales::find_parts() {
  std::fill(part_.begin(), part_.end(), -1);
  std::vector<std::int64_t> open;
  std::int64_t count = 0;
  for (const std::int64_t root : spins_) {
    if (part_[index(root)] >= 0) continue;
    part_[index(root)] = count;
    open.push_back(root);
    while (!open.empty()) {
      const std::size_t spin = index(open.back());
      open.pop_back();
      for (std::int64_t k = first_neighbour_[spin]; k < first_neighbour_[spin + 1]; ++k) {
        std::int64_t& part = part_[index(neighbours_[index(k)])];
        if (part >= 0) continue;
        part = count;
        open.push_back(neighbours_[index(k)]);
      }
    }
    ++count;
  }
  scales_.resize(index(count));
}

/// Counts the common neighbours m of spins k and l but one, and sums the signs of J_km J_ml.
LocalScales::Loops LocalScales::loops(std::int64_t k, std::int64_t l, std::int64_t without) const {
  Loops result;
  std::int64_t a = first_neighbour_[index(k)], b = first_neighbour_[index(l)];
  const std::int64_t last_a = first_neighbour_[index(k) + 1],
                     last_b = first_neighbour_[index(l) + 1];
  if (std::max(last_a - a, last_b - b) > kMostNeighbours) return result;
  while (a < last_a && b < last_b) {
    const std::int64_t of_k = neighbours_[index(a)], of_l = neighbours_[index(b)];
    if (of_k == of_l && of_k != without) {
      result.count += 1.0;
      const bool is_up = couplings_[index(a)] > 0.0f, other_is_up = couplings_[index(b)] > 0.0f;
      result.signs += is_up == other_is_up ? 1.0 : -1.0;
    }
    a += of_k <= of_l;
    b += of_l <= of_k;
  }
  return result;
}

/// Returns of each part whether its spins couple to all of the other layer.
std::vector<char> LocalScales::complete_parts() const {
  std::vector<std::int64_t> hidden(scales_.size()), output(scales_.size()), pairs(scales_.size());
  for (const std::int64_t at : spins_) {
    const std::size_t part = index(part_[index(at)]);
    const bool is_hidden = at < grid_.num_hidden();
    ++(is_hidden ? hidden : output)[part];
    if (is_hidden) pairs[part] += first_neighbour_[index(at) + 1] - first_neighbour_[index(at)];
  }

  std::vector<char> complete(scales_.size());
  for (std::size_t part = 0; part < complete.size(); ++part) {
    complete[part] = pairs[part] == hidden[part] * output[part];
  }
  return complete;
}

/// Raises the squares of the spins of coherent parts.
void LocalScales::add_coherent_pairs() {
  const std::vector<char> complete = complete_parts();
  std::vector<double> pairs(part_.size());  // of each spin: sum of |J_ik J_il|
  std::vector<double> signs(scales_.size()), sizes(scales_.size());
  for (const std::int64_t at : spins_) {
    const std::int64_t first = first_neighbour_[index(at)], last = first_neighbour_[index(at) + 1];
    const double square = coupling_squares_[index(at)];
    if (last - first > kMostNeighbours || square == 0.0) continue;
    if (complete[index(part_[index(at)])]) continue;

    double& sum = pairs[index(at)];
    double signed_sum = 0.0;
    for (std::int64_t k = first; k < last; ++k) {
      for (std::int64_t l = first; l < k; ++l) {
        const Loops found = loops(neighbours_[index(k)], neighbours_[index(l)], at);
        if (found.count == 0.0) continue;
        const double product = double{couplings_[index(k)]} * double{couplings_[index(l)]};
        sum += 2.0 * std::abs(product);
        signed_sum += 2.0 * product * found.signs / found.count;
      }
    }
    signs[index(part_[index(at)])] += signed_sum / square;
    sizes[index(part_[index(at)])] += sum / square;
  }

  for (const std::int64_t at : spins_) {
    const std::size_t part = index(part_[index(at)]);
    const double coherence = sizes[part] > 0.0 ? std::max(0.0, signs[part] / sizes[part]) : 0.0;
    coupling_squares_[index(at)] += coherence * coherence * pairs[index(at)];
  }
}

void LocalScales::load(const float* fields) {
  find_free_spins(fields);
  find_log_fields();
  find_part_scales(fields);
  find_windows();
}

void LocalScales::find_free_spins(const float* fields) {
  for (const std::int64_t at : spins_) {
    const double field = double{fields[at]};
    squares_[index(at)] = field * field + coupling_squares_[index(at)];
    is_free_[index(at)] = std::abs(fields[at]) <= grid_.sums()[at] && squares_[index(at)] > 0.0;
  }
}

void LocalScales::find_log_fields() {
  for (const std::int64_t at : spins_) {
    const std::size_t spin = index(at);
    if (!is_free_[spin]) continue;
    double sum = squares_[spin];
    std::int64_t count = 1;
    for (std::int64_t k = first_neighbour_[spin]; k < first_neighbour_[spin + 1]; ++k) {
      const std::int64_t other = neighbours_[index(k)];
      if (!is_free_[index(other)]) continue;
      const int shift = 2 * (grid_.exponent(other) - grid_.exponent(at));
      sum += std::ldexp(squares_[index(other)], std::clamp(shift, -kLargestShift, kLargestShift));
      ++count;
    }
    log_fields_[spin] = log_unit(at) + 0.5 * log2_of(sum / static_cast<double>(count));
  }
}

/// Finds G of each part. That of a part without a free spin is its largest field.
void LocalScales::find_part_scales(const float* fields) {
  std::vector<double> sums(scales_.size()), counts(scales_.size()), largest(scales_.size(), -1e9);
  for (const std::int64_t at : spins_) {
    const std::size_t part = index(part_[index(at)]);
    if (is_free_[index(at)]) {
      sums[part] += log_fields_[index(at)];
      counts[part] += 1.0;
    }
    const double field = std::abs(double{fields[at]});
    if (field > 0.0) largest[part] = std::max(largest[part], log_unit(at) + log2_of(field));
  }

  for (std::size_t part = 0; part < scales_.size(); ++part) {
    const double fallback = largest[part] > -1e9 ? largest[part] : 0.0;
    scales_[part] = counts[part] > 0.0 ? sums[part] / counts[part] : fallback;
  }
}

void LocalScales::find_windows() {
  struct Spin {
    double log_field, weight;
  };
  std::vector<Spin> spins;  // relative to their part
  double total = 0.0, squares = 0.0;
  mean_scale_ = 0.0;
  for (const std::int64_t at : spins_) {
    if (!is_free_[index(at)]) continue;
    const double scale = log2_scale(at), log_field = log_fields_[index(at)] - scale;
    const double weight = power_of_two(0.5 * log_field);
    spins.push_back({log_field, std::clamp(weight, 1.0 / kLargestWeight, kLargestWeight)});
    total += spins.back().weight;
    squares += power_of_two(log2_of(squares_[index(at)]) + 2.0 * (log_unit(at) - scale));
    mean_scale_ += scale;
  }

  one_scale_ = 1.0;
  if (spins.empty()) {
    mean_scale_ = *std::max_element(scales_.begin(), scales_.end());
    return;
  }
  mean_scale_ /= static_cast<double>(spins.size());
  std::sort(spins.begin(), spins.end(),
            [](const Spin& a, const Spin& b) { return a.log_field > b.log_field; });
  one_scale_ = std::sqrt(squares / static_cast<double>(spins.size()));
  if (spins.front().log_field - spins.back().log_field <= log2_of(kOneScaleRatio)) return;
  one_scale_ = 0.0;

  // The windows begin in the order of the spins, and end in the same order. Between two ends the
  // share grows in proportion to log beta, at the rate of the windows that are open.
  const double length = log2_of(kCold / kHot) / (1.0 - 2.0 * kLeftOut);
  const double begin = log2_of(kHot) - kLeftOut * length;
  shares_.clear();
  log_betas_.clear();
  double share = 0.0, open = 0.0, log_beta = begin - spins.front().log_field;
  std::size_t begun = 0, ended = 0;
  while (ended < spins.size()) {
    const double next_end = begin + length - spins[ended].log_field;
    const bool begins = begun < spins.size() && begin - spins[begun].log_field <= next_end;
    const double next = begins ? begin - spins[begun].log_field : next_end;
    share += open / total * (next - log_beta) / length;
    log_beta = next;
    shares_.push_back(share);
    log_betas_.push_back(log_beta);
    open += begins ? spins[begun++].weight : -spins[ended++].weight;
  }
}

double LocalScales::reduced(double relative) const {
  if (one_scale_ > 0.0 || relative <= 0.0) {
    return relative / (one_scale_ > 0.0 ? one_scale_ : 1.0);
  }

  const double place = log2_of(relative / kHot) / log2_of(kCold / kHot);
  const double inside = std::clamp(place, 0.0, 1.0);
  const double share = (kLeftOut + (1.0 - 2.0 * kLeftOut) * inside) * shares_.back();
  const auto after = std::upper_bound(shares_.begin(), shares_.end() - 1, share);
  const auto k = static_cast<std::size_t>(after - shares_.begin());
  const double part = (share - shares_[k - 1]) / (shares_[k] - shares_[k - 1]);
  const double log_beta = log_betas_[k - 1] + part * (log_betas_[k] - log_betas_[k - 1]);

  // Outside the range of the rule the windows are not followed any more.
  return power_of_two(log_beta + (place - inside) * log2_of(kCold / kHot));
}

}  // namespace isingprop
