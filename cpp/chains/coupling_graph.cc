#include "chains/coupling_graph.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace isingprop {
namespace {

/// Loops are looked for where no spin has more neighbours: for n spins with m each, that takes up
/// to n m^3 steps.
constexpr std::int64_t kMostNeighbours = 8;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

CouplingGraph::CouplingGraph(const CouplingGrid& grid) : grid_(grid) {
  const std::int64_t output = padded(grid.num_hidden()), size = output + padded(grid.num_output());
  for (std::int64_t i = 0; i < grid.num_hidden(); ++i) spins_.push_back(i);
  for (std::int64_t a = 0; a < grid.num_output(); ++a) spins_.push_back(output + a);
  squares_.resize(index(size));
  coherent_squares_.resize(index(size));
  part_.assign(index(size), -1);
  find_neighbours();
  find_parts();

  find_coherence_of_narrow_parts(find_narrow_parts());
  if (grid_.coherence() > 0.0) take_coherence_of_grid();
}

/// Calls visit(i, a, J in the units of i, J in those of a) for all couplings that are stored.
template <class Visit>
void CouplingGraph::for_each_coupling(const Visit& visit) const {
  const std::int64_t output = padded(grid_.num_hidden()), column_stride = output;
  const std::int64_t stride = padded(grid_.num_output());
  const RowSpan *rows = grid_.hidden_spans(), *columns = grid_.output_spans();
  for (std::int64_t i = 0; i < grid_.num_hidden(); ++i) {
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
      // A coupling that is 0 in the units of the one spin may not be so in those of the other.
      if (of_hidden == 0.0f && of_output == 0.0f) continue;
      visit(i, output + a, 0.5f * of_hidden, 0.5f * of_output);  // rows hold 2 J
    }
  }
}

void CouplingGraph::find_neighbours() {
  first_.assign(squares_.size() + 1, 0);
  for_each_coupling([&](std::int64_t i, std::int64_t a, float of_hidden, float of_output) {
    ++first_[index(i) + 1];
    ++first_[index(a) + 1];
    squares_[index(i)] += double{of_hidden} * double{of_hidden};
    squares_[index(a)] += double{of_output} * double{of_output};
  });
  std::partial_sum(first_.begin(), first_.end(), first_.begin());

  neighbours_.resize(index(first_.back()));
  couplings_.resize(neighbours_.size());
  std::vector<std::int64_t> next(first_.begin(), first_.end() - 1);
  for_each_coupling([&](std::int64_t i, std::int64_t a, float of_hidden, float of_output) {
    couplings_[index(next[index(i)])] = of_hidden;
    neighbours_[index(next[index(i)]++)] = a;
    couplings_[index(next[index(a)])] = of_output;
    neighbours_[index(next[index(a)]++)] = i;
  });
}

/// Numbers the parts by a search from each spin in turn.
void CouplingGraph::find_parts() {
  std::vector<std::int64_t> open;
  for (const std::int64_t root : spins_) {
    if (part(root) >= 0) continue;
    part_[index(root)] = num_parts_;
    open.push_back(root);
    while (!open.empty()) {
      const std::int64_t spin = open.back();
      open.pop_back();
      for (const std::int64_t other : neighbours(spin)) {
        if (part(other) >= 0) continue;
        part_[index(other)] = num_parts_;
        open.push_back(other);
      }
    }
    ++num_parts_;
  }
}

/// Finds whether parts are complete, and returns of each whether its coherence is looked for.
std::vector<char> CouplingGraph::find_narrow_parts() {
  std::vector<std::int64_t> hidden(index(num_parts_)), output(hidden), pairs(hidden), most(hidden);
  for (const std::int64_t spin : spins_) {
    const std::size_t k = index(part(spin));
    const bool is_hidden = spin < grid_.num_hidden();
    ++(is_hidden ? hidden : output)[k];
    if (is_hidden) pairs[k] += degree(spin);
    most[k] = std::max(most[k], degree(spin));
  }

  std::vector<char> is_narrow;
  for (std::size_t k = 0; k < most.size(); ++k) {
    const bool is_complete = pairs[k] == hidden[k] * output[k];
    is_complete_ = is_complete_ && is_complete;
    is_narrow.push_back(!is_complete && most[k] <= kMostNeighbours);
  }
  return is_narrow;
}

/// Counts the common neighbours m of spins k and l but one, and sums the signs of J_km J_ml.
CouplingGraph::Loops CouplingGraph::loops(std::int64_t k, std::int64_t l,
                                          std::int64_t without) const {
  Loops result;
  std::int64_t a = first(k), b = first(l);
  while (a < first(k + 1) && b < first(l + 1)) {
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

void CouplingGraph::find_coherence_of_narrow_parts(const std::vector<char>& is_narrow) {
  std::vector<double> pairs(squares_.size());  // of each spin: sum of |J_ik J_il|
  std::vector<double> signs(is_narrow.size()), sizes(is_narrow.size());
  for (const std::int64_t spin : spins_) {
    const double square = squares(spin);
    if (!is_narrow[index(part(spin))] || square == 0.0) continue;

    double& sum = pairs[index(spin)];
    double signed_sum = 0.0;
    for (std::int64_t k = first(spin); k < first(spin + 1); ++k) {
      for (std::int64_t l = first(spin); l < k; ++l) {
        const Loops found = loops(neighbours_[index(k)], neighbours_[index(l)], spin);
        if (found.count == 0.0) continue;
        const double product = double{couplings_[index(k)]} * double{couplings_[index(l)]};
        sum += 2.0 * std::abs(product);
        signed_sum += 2.0 * product * found.signs / found.count;
      }
    }
    signs[index(part(spin))] += signed_sum / square;
    sizes[index(part(spin))] += sum / square;
  }

  for (const std::int64_t spin : spins_) {
    const std::size_t k = index(part(spin));
    if (!is_narrow[k]) continue;
    const double coherence = sizes[k] > 0.0 ? std::max(0.0, signs[k] / sizes[k]) : 0.0;
    coherent_squares_[index(spin)] = coherence * coherence * pairs[index(spin)];
  }
}

/// Takes the coherence that the grid has found for a problem without zeros.
void CouplingGraph::take_coherence_of_grid() {
  for (const std::int64_t spin : spins_) {
    const double sum = double{grid_.sums()[spin]};
    coherent_squares_[index(spin)] =
        std::sqrt(grid_.coherence()) * std::max(0.0, sum * sum - squares(spin));
  }
}

}  // namespace isingprop
