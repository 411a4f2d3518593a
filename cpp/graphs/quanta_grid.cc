#include "graphs/quanta_grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/metropolis/metropolis_rule.h"

namespace isingprop {
namespace {

/// Bytes hold fields of up to this many quanta: half of them, and one more.
constexpr double kMostQuanta = 250.0;
/// A field above this is not a small multiple of any quantum.
constexpr float kLargestField = 0x1p40f;
constexpr std::uint32_t kEachByte = 0x01010101u;
constexpr int kBitsOfByte = 8;

}  // namespace

QuantaGrid::QuantaGrid(const GraphGrid& grid, bool is_wanted) {
  const GraphRows& rows = grid.rows();
  if (!is_wanted) return;
  if (grid.is_dense() || grid.is_rounded() || !grid.has_one_unit() || rows.has_gains) return;
  if (!find_quantum(grid) || !find_halves(grid)) return;

  const CouplingLists& lists = grid.lists();
  neighbours_.resize(lists.others.size());
  for (std::size_t k = 0; k < neighbours_.size(); ++k) {
    const auto coupling = static_cast<int>(0.5 * double{rows.neighbours[k].twice} / quantum_);
    const std::uint32_t bytes = static_cast<std::uint8_t>(coupling) * kEachByte;
    neighbours_[k] = {lists.others[k], static_cast<std::int32_t>(bytes)};
  }
  rows_.num_spins = grid.num_spins();
  rows_.first = lists.first.data();
  rows_.neighbours = neighbours_.data();
  rows_.base = base_.data();
  rows_.parity = parity_.data();
  is_possible_ = true;
}

bool QuantaGrid::find_quantum(const GraphGrid& grid) {
  const GraphRows& rows = grid.rows();
  std::int64_t quantum = 0;
  for (std::size_t k = 0; k < grid.lists().others.size(); ++k) {
    quantum = std::gcd(quantum, static_cast<std::int64_t>(0.5f * rows.neighbours[k].twice));
  }
  for (std::int64_t place = 0; place < rows.num_spins; ++place) {
    const float field = rows.own_fields[place];
    if (std::abs(field) > kLargestField || field != std::floor(field)) return false;
    quantum = std::gcd(quantum, static_cast<std::int64_t>(field));
  }
  quantum_ = static_cast<double>(quantum);
  return quantum > 0;
}

bool QuantaGrid::find_halves(const GraphGrid& grid) {
  const GraphRows& rows = grid.rows();
  int most_places = 0;
  for (std::int64_t place = 0; place < rows.num_spins; ++place) {
    const double own = double{rows.own_fields[place]};
    const double most = (double{grid.sums()[place]} + std::abs(own)) / quantum_;
    if (most > kMostQuanta) return false;
    const auto down = static_cast<int>((own + double{rows.down_fields[place]}) / quantum_);
    const int parity = down & 1;
    parity_.push_back(static_cast<std::uint8_t>(parity));
    base_.push_back(static_cast<std::int8_t>((down - parity) / 2));
    most_places = std::max(most_places, 2 + (static_cast<int>(most) - parity) / 2);
  }
  rows_.num_tables = (most_places + kTableEntries - 1) / kTableEntries;
  return true;
}

void QuantaGrid::fill_tables(float slope, std::uint8_t* tables) const {
  for (int parity = 0; parity < 2; ++parity) {
    for (int place = 0; place < rows_.num_tables * kTableEntries; ++place) {
      const int cost = place == 0 ? 0 : 2 * (place - 1) + parity;
      const std::uint32_t values = accepted_values(-double{slope} * (cost * quantum_));
      std::uint8_t* to = tables + (parity * rows_.num_tables + place / kTableEntries) *
                                      kThresholdBytes * kTableEntries;
      for (int byte = 0; byte < kThresholdBytes; ++byte) {
        to[byte * kTableEntries + place % kTableEntries] =
            static_cast<std::uint8_t>(values >> (kBitsOfByte * byte));
      }
    }
  }
}

}  // namespace isingprop
