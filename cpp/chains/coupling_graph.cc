#include "chains/coupling_graph.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "util/powers_of_two.h"

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
  coherent_squares_.resize(index(size));
  first_.assign(index(size) + 1, 0);
  part_.assign(index(size), grid.is_one_part() ? 0 : -1);

  if (grid.is_one_part()) {
    parts_ = {{.num_couplings = grid.num_hidden() * grid.num_output()}};
  } else {
    find_neighbours();
    find_parts();
  }
  measure_parts();

  find_coherence_of_narrow_parts();
  if (grid_.coherence() > 0.0) take_coherence_of_grid();
}

bool CouplingGraph::Part::is_uneven() const {
  return is_complete() && largest_square - least_square > 2.0 * log2_of(kEvenRatio);
}

/// Returns all couplings that are stored, by hidden spins first.
std::vector<CouplingGraph::Coupling> CouplingGraph::list_couplings() const {
  std::vector<Coupling> result;
  const std::int64_t output = padded(grid_.num_hidden()), column_stride = output;
  const std::int64_t stride = padded(grid_.num_output());
  const RowSpan *rows = grid_.hidden_spans(), *columns = grid_.output_spans();
  for (std::int64_t i = 0; i < grid_.num_hidden(); ++i) {
    const RowSpan whole{.offset = i * stride, .first = 0, .last = stride / kBlock};
    const RowSpan& row = rows == nullptr ? whole : rows[i];
    const std::int64_t begin = row.first * kBlock;
    const std::int64_t end = std::min(row.last * kBlock, grid_.num_output());
    const float* of_outputs = grid_.hidden_rows() + row.offset - begin;
    for (std::int64_t a = begin; a < end; ++a) {
      // A coupling that is 0 in the units of one spin may not be so in those of the other.
      if (of_outputs[a] == 0.0f && !grid_.is_graded()) continue;
      std::int64_t at = a * column_stride + i;
      if (columns != nullptr) {
        const RowSpan& column = columns[a];
        if (i < column.first * kBlock || column.last * kBlock <= i) continue;
        at = column.offset + i - column.first * kBlock;
      }
      const float of_hidden = grid_.output_rows()[at];
      if (of_hidden == 0.0f && of_outputs[a] == 0.0f) continue;
      result.push_back({i, output + a, 0.5f * of_hidden, 0.5f * of_outputs[a]});  // rows hold 2 J
    }
  }
  return result;
}

void CouplingGraph::find_neighbours() {
  const std::vector<Coupling> couplings = list_couplings();
  for (const Coupling& coupling : couplings) {
    ++first_[index(coupling.hidden) + 1];
    ++first_[index(coupling.output) + 1];
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());

  neighbours_.resize(index(first_.back()));
  couplings_.resize(neighbours_.size());
  std::vector<std::int64_t> next(first_.begin(), first_.end() - 1);
  for (const Coupling& coupling : couplings) {
    const std::size_t of_hidden = index(next[index(coupling.hidden)]++);
    const std::size_t of_output = index(next[index(coupling.output)]++);
    neighbours_[of_hidden] = coupling.output;
    neighbours_[of_output] = coupling.hidden;
    couplings_[of_hidden] = coupling.of_hidden;
    couplings_[of_output] = coupling.of_output;
  }
}

/// Numbers the parts by a search from each spin in turn.
void CouplingGraph::find_parts() {
  std::vector<std::int64_t> open;
  for (const std::int64_t root : spins_) {
    if (part(root) >= 0) continue;
    part_[index(root)] = num_parts();
    open.push_back(root);
    while (!open.empty()) {
      const std::int64_t spin = open.back();
      open.pop_back();
      for (const std::int64_t other : neighbours(spin)) {
        if (part(other) >= 0) continue;
        part_[index(other)] = num_parts();
        open.push_back(other);
      }
    }
    parts_.emplace_back();
  }
}

void CouplingGraph::measure_parts() {
  for (const std::int64_t spin : spins_) {
    Part& measured = parts_[index(part(spin))];
    const bool is_hidden = spin < grid_.num_hidden();
    ++(is_hidden ? measured.num_hidden : measured.num_output);
    if (is_hidden) measured.num_couplings += degree(spin);
    measured.most_neighbours = std::max(measured.most_neighbours, degree(spin));
  }

  for (const std::int64_t spin : spins_) {
    Part& measured = parts_[index(part(spin))];
    const auto square = double{grid_.squares()[spin]};
    if (!measured.is_complete() || square == 0.0) continue;
    const double in_largest_unit =
        log2_of(square) + 2.0 * (grid_.exponent(spin) - grid_.exponent());
    measured.least_square = std::min(measured.least_square, in_largest_unit);
    measured.largest_square = std::max(measured.largest_square, in_largest_unit);
  }
}

/// Returns whether loops are looked for in the part of a spin.
bool CouplingGraph::is_narrow(std::int64_t spin) const {
  const Part& measured = part_of(part(spin));
  return !measured.is_complete() && measured.most_neighbours <= kMostNeighbours;
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

void CouplingGraph::find_coherence_of_narrow_parts() {
  std::vector<double> pairs(coherent_squares_.size());  // of each spin: sum of |J_ik J_il|
  std::vector<double> signs(parts_.size()), sizes(parts_.size());
  for (const std::int64_t spin : spins_) {
    const auto square = double{grid_.squares()[spin]};
    if (!is_narrow(spin) || square == 0.0) continue;

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
    if (!is_narrow(spin)) continue;
    const double coherence = sizes[k] > 0.0 ? std::max(0.0, signs[k] / sizes[k]) : 0.0;
    coherent_squares_[index(spin)] = coherence * coherence * pairs[index(spin)];
  }
}

/// Takes the coherence that the grid has found for a problem without zeros.
void CouplingGraph::take_coherence_of_grid() {
  for (const std::int64_t spin : spins_) {
    const double sum = double{grid_.sums()[spin]};
    coherent_squares_[index(spin)] =
        std::sqrt(grid_.coherence()) * std::max(0.0, sum * sum - double{grid_.squares()[spin]});
  }
}

}  // namespace isingprop
