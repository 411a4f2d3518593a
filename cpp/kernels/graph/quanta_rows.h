/// Couplings that are small multiples of one quantum.
#pragma once

#include <cstdint>

namespace isingprop {

/// Entries of one table of thresholds, which is looked up by the lower half of a byte.
inline constexpr int kTableEntries = 16;
/// A threshold has four bytes, each in a table of its own.
inline constexpr int kThresholdBytes = 4;

/// A coupling as one of its spins sees it.
struct QuantaNeighbour {
  std::int32_t spin;
  std::int32_t coupling;  ///< J / quantum, -127 to 127, in each of its four bytes
};

/// Spins in the order of a sweep, whose couplings and fields are multiples of one quantum:
///
///     f_i / quantum = 2 (base_i + sum of J_ij / quantum over the neighbours that are +1) +
///     parity_i
///
/// with the sum in brackets between -127 and 126. A flip that costs m > 0 quanta times 2 is looked
/// up at place 1 + (m - parity_i) / 2 of the tables, and one that costs nothing at place 0 or 1.
struct QuantaRows {
  std::int64_t num_spins;
  const std::int64_t* first;  ///< (num_spins + 1): where the neighbours of each spin begin
  const QuantaNeighbour* neighbours;
  const std::int8_t* base;
  const std::uint8_t* parity;  ///< 0 or 1
  int num_tables;              ///< for places 0 ... 16 num_tables - 1, at most 8
};

/// The thresholds of one sweep, (2, num_tables, kThresholdBytes, kTableEntries) bytes: by parity,
/// place / 16, byte and place % 16.
inline constexpr int kLargestTables = 2 * 8 * kThresholdBytes * kTableEntries;

}  // namespace isingprop
