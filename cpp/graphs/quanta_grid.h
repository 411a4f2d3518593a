/// Couplings that are small multiples of one quantum, for the kernel that holds fields in bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "graphs/graph_grid.h"
#include "kernels/graph/quanta_rows.h"

namespace isingprop {

/// The quantum is the largest of which all couplings and fields are multiples:
///
///     J = 1 and -1, h = 0.5   ->   quantum 0.5, J = 2 and -2, h = 1
class QuantaGrid {
 public:
  /// Looks for the quantum only if it is wanted.
  QuantaGrid(const GraphGrid& grid, bool is_wanted);

  /// Whether all fields are small multiples of one quantum, and all spins have one gain. Only then
  /// the rest may be called.
  bool is_possible() const { return is_possible_; }
  const QuantaRows& rows() const { return rows_; }
  /// Fills the tables of a sweep at a slope, at most kLargestTables bytes.
  void fill_tables(float slope, std::uint8_t* tables) const;

 private:
  bool find_quantum(const GraphGrid& grid);
  bool find_halves(const GraphGrid& grid);

  bool is_possible_ = false;
  double quantum_ = 0.0;  ///< in units
  std::vector<QuantaNeighbour> neighbours_;
  std::vector<std::int8_t> base_;
  std::vector<std::uint8_t> parity_;
  QuantaRows rows_;
};

}  // namespace isingprop
