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
/// (field of the couplings)^2 / sum_j J_ij^2 in a state of low energy of a spin glass, and the
/// sweeps in which that state is found.
constexpr double kGlassSquare = 2.5;
constexpr int kDescentSweeps = 5;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

CouplingGraph::CouplingGraph(const CouplingGrid& grid) : num_hidden_(grid.num_hidden()) {
  list_neighbours(grid);
  const std::int64_t output = padded(grid.num_hidden());
  for (std::int64_t i = 0; i < grid.num_hidden(); ++i) spins_.push_back(i);
  for (std::int64_t a = 0; a < grid.num_output(); ++a) spins_.push_back(output + a);
  coherent_squares_.resize(index(couplings_.num_spins));

  if (grid.is_one_part()) {
    part_.assign(index(couplings_.num_spins), 0);
    parts_ = {{.num_couplings = grid.num_hidden() * grid.num_output()}};
  } else {
    find_parts();
  }
  measure_parts(true);

  find_loops();
  if (grid.coherence() > 0.0) {
    for (const std::int64_t spin : spins_) add_in_step(spin, std::sqrt(grid.coherence()));
  }
}

CouplingGraph::CouplingGraph(const GraphCouplings& couplings) : couplings_(couplings) {
  spins_.resize(index(couplings.num_spins));
  std::iota(spins_.begin(), spins_.end(), 0);
  coherent_squares_.resize(index(couplings.num_spins));

  find_parts();
  measure_parts(false);
  find_loops();
  find_order();
}

bool CouplingGraph::Part::is_uneven() const {
  return (is_complete || is_wide) && largest_square - least_square > 2.0 * log2_of(kEvenRatio);
}

/// Returns all couplings that are stored, by hidden spins first.
std::vector<CouplingGraph::Coupling> CouplingGraph::list_couplings(const CouplingGrid& grid) {
  std::vector<Coupling> result;
  const std::int64_t output = padded(grid.num_hidden()), column_stride = output;
  const std::int64_t stride = padded(grid.num_output());
  const RowSpan *rows = grid.hidden_spans(), *columns = grid.output_spans();
  for (std::int64_t i = 0; i < grid.num_hidden(); ++i) {
    const RowSpan whole{.offset = i * stride, .first = 0, .last = stride / kBlock};
    const RowSpan& row = rows == nullptr ? whole : rows[i];
    const std::int64_t begin = row.first * kBlock;
    const std::int64_t end = std::min(row.last * kBlock, grid.num_output());
    const float* of_outputs = grid.hidden_rows() + row.offset - begin;
    for (std::int64_t a = begin; a < end; ++a) {
      // A coupling that is 0 in the units of one spin may not be so in those of the other.
      if (of_outputs[a] == 0.0f && !grid.is_graded()) continue;
      std::int64_t at = a * column_stride + i;
      if (columns != nullptr) {
        const RowSpan& column = columns[a];
        if (i < column.first * kBlock || column.last * kBlock <= i) continue;
        at = column.offset + i - column.first * kBlock;
      }
      const float of_hidden = grid.output_rows()[at];
      if (of_hidden == 0.0f && of_outputs[a] == 0.0f) continue;
      result.push_back({i, output + a, 0.5f * of_hidden, 0.5f * of_outputs[a]});  // rows hold 2 J
    }
  }
  return result;
}

/// Lists the couplings of a grid by spin, but not where it is one part.
void CouplingGraph::list_neighbours(const CouplingGrid& grid) {
  const std::int64_t size = padded(grid.num_hidden()) + padded(grid.num_output());
  auto& [first, others, own, exponents] = lists_;
  std::vector<Coupling> couplings;
  if (!grid.is_one_part()) couplings = list_couplings(grid);
  first.assign(index(size) + 1, 0);
  for (const Coupling& coupling : couplings) {
    ++first[index(coupling.hidden) + 1];
    ++first[index(coupling.output) + 1];
  }
  std::partial_sum(first.begin(), first.end(), first.begin());

  others.resize(index(first.back()));
  own.resize(others.size());
  std::vector<std::int64_t> next(first.begin(), first.end() - 1);
  for (const Coupling& coupling : couplings) {
    const std::size_t of_hidden = index(next[index(coupling.hidden)]++);
    const std::size_t of_output = index(next[index(coupling.output)]++);
    others[of_hidden] = static_cast<std::int32_t>(coupling.output);
    others[of_output] = static_cast<std::int32_t>(coupling.hidden);
    own[of_hidden] = coupling.of_hidden;
    own[of_output] = coupling.of_output;
  }

  for (std::int64_t at = 0; at < size; ++at) exponents.push_back(grid.exponent(at));
  couplings_ = {.num_spins = size,
                .first = first.data(),
                .others = others.data(),
                .couplings = own.data(),
                .sums = grid.sums(),
                .squares = grid.squares(),
                .exponents = exponents.data(),
                .exponent = grid.exponent()};
}

/// Numbers the parts by a search from each spin in turn, which gives out two colours.
void CouplingGraph::find_parts() {
  part_.assign(index(couplings_.num_spins), -1);
  std::vector<char> colour(part_.size());
  std::vector<std::int64_t> open;
  for (const std::int64_t root : spins_) {
    if (part(root) >= 0) continue;
    const std::int64_t number = num_parts();
    Part& found = parts_.emplace_back();
    part_[index(root)] = number;
    open.push_back(root);
    while (!open.empty()) {
      const std::int64_t spin = open.back();
      open.pop_back();
      for (const std::int32_t other : neighbours(spin)) {
        if (part(other) < 0) {
          part_[index(other)] = number;
          colour[index(other)] = !colour[index(spin)];
          open.push_back(other);
        } else if (colour[index(other)] == colour[index(spin)]) {
          found.has_two_colours = false;
        }
      }
    }
  }
}

void CouplingGraph::measure_parts(bool is_grid) {
  for (const std::int64_t spin : spins_) {
    Part& measured = parts_[index(part(spin))];
    ++(is_hidden(spin) ? measured.num_hidden : measured.num_output);
    if (is_hidden(spin)) measured.num_couplings += degree(spin);
    measured.most_neighbours = std::max(measured.most_neighbours, degree(spin));
  }
  for (Part& measured : parts_) {
    const std::int64_t pairs = measured.num_hidden * measured.num_output;
    const bool is_thin = measured.has_two_colours && measured.most_neighbours <= kMostNeighbours;
    measured.is_complete = is_grid && measured.num_couplings == pairs;
    measured.is_narrow = is_thin && !measured.is_complete;
    measured.is_wide = !is_thin && !is_grid;
  }

  for (const std::int64_t spin : spins_) {
    Part& measured = parts_[index(part(spin))];
    const auto square = double{couplings_.squares[spin]};
    if (square == 0.0) continue;
    const double in_largest_unit =
        log2_of(square) + 2.0 * (couplings_.exponents[spin] - couplings_.exponent);
    measured.least_square = std::min(measured.least_square, in_largest_unit);
    measured.largest_square = std::max(measured.largest_square, in_largest_unit);
  }
}

/// Counts the common neighbours m of spins k and l but one, and sums the signs of J_km J_ml.
CouplingGraph::Loops CouplingGraph::loops(std::int64_t k, std::int64_t l,
                                          std::int64_t without) const {
  Loops result;
  std::int64_t a = first(k), b = first(l);
  while (a < first(k + 1) && b < first(l + 1)) {
    const std::int64_t of_k = couplings_.others[a], of_l = couplings_.others[b];
    if (of_k == of_l && of_k != without) {
      result.count += 1.0;
      const bool is_up = couplings_.couplings[a] > 0.0f,
                 other_is_up = couplings_.couplings[b] > 0.0f;
      result.signs += is_up == other_is_up ? 1.0 : -1.0;
    }
    a += of_k <= of_l;
    b += of_l <= of_k;
  }
  return result;
}

void CouplingGraph::find_loops() {
  std::vector<double> pairs(coherent_squares_.size());  // of each spin: sum of |J_ik J_il|
  std::vector<double> signs(parts_.size()), sizes(parts_.size());
  for (const std::int64_t spin : spins_) {
    const auto square = double{couplings_.squares[spin]};
    if (!part_of(part(spin)).is_narrow || square == 0.0) continue;

    double& sum = pairs[index(spin)];
    double signed_sum = 0.0;
    for (std::int64_t k = first(spin); k < first(spin + 1); ++k) {
      for (std::int64_t l = first(spin); l < k; ++l) {
        const Loops found = loops(couplings_.others[k], couplings_.others[l], spin);
        if (found.count == 0.0) continue;
        const double product = double{couplings_.couplings[k]} * double{couplings_.couplings[l]};
        sum += 2.0 * std::abs(product);
        signed_sum += 2.0 * product * found.signs / found.count;
      }
    }
    signs[index(part(spin))] += signed_sum / square;
    sizes[index(part(spin))] += sum / square;
  }

  for (const std::int64_t spin : spins_) {
    const std::size_t k = index(part(spin));
    if (!part_of(part(spin)).is_narrow) continue;
    const double coherence = sizes[k] > 0.0 ? std::max(0.0, signs[k] / sizes[k]) : 0.0;
    coherent_squares_[index(spin)] = coherence * coherence * pairs[index(spin)];
  }
}

/// Finds the coherence of wide parts from a state of low energy.
void CouplingGraph::find_order() {
  if (std::all_of(parts_.begin(), parts_.end(), [](const Part& each) { return each.is_narrow; })) {
    return;
  }
  const std::vector<std::int8_t> state = low_state();
  std::vector<double> squares(parts_.size()), most(parts_.size());
  for (const std::int64_t spin : spins_) {
    const auto square = double{couplings_.squares[spin]}, sum = double{couplings_.sums[spin]};
    if (square == 0.0) continue;
    const double own = field(spin, state);
    squares[index(part(spin))] += own * own / square - kGlassSquare;
    most[index(part(spin))] += sum * sum / square - kGlassSquare;
  }

  for (const std::int64_t spin : spins_) {
    const std::size_t k = index(part(spin));
    if (!parts_[k].is_wide || squares[k] <= 0.0 || most[k] <= 0.0) continue;
    add_in_step(spin, std::min(1.0, squares[k] / most[k]));
  }
}

/// Returns a state of low energy without fields: each spin in turn is aligned with those before it,
/// and a few sweeps align it with all others.
std::vector<std::int8_t> CouplingGraph::low_state() const {
  std::vector<std::int8_t> result(index(couplings_.num_spins));
  for (int sweep = 0; sweep < kDescentSweeps; ++sweep) {
    for (const std::int64_t spin : spins_) {
      const double own = field(spin, result);
      if (own != 0.0 || sweep == 0) result[index(spin)] = own > 0.0 ? -1 : 1;
    }
  }
  return result;
}

double CouplingGraph::field(std::int64_t spin, const std::vector<std::int8_t>& state) const {
  double sum = 0.0;
  for (std::int64_t k = first(spin); k < first(spin + 1); ++k) {
    sum += double{couplings_.couplings[k]} * state[index(couplings_.others[k])];
  }
  return sum;
}

/// Adds what neighbours that are in step add, to a share that is called `order`.
void CouplingGraph::add_in_step(std::int64_t spin, double order) {
  const auto sum = double{couplings_.sums[spin]}, square = double{couplings_.squares[spin]};
  coherent_squares_[index(spin)] = order * std::max(0.0, sum * sum - square);
}

}  // namespace isingprop
