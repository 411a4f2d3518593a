/// Which part of each row of sparse couplings is stored.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/annealing/chain.h"

namespace isingprop {

/// The spans of all rows and of all columns of a matrix of couplings; see RowSpan.
struct RowSpans {
  std::vector<RowSpan> rows, columns;  ///< both empty where rows are stored whole
};

/// Returns the number of floats that all rows before the end of this one take.
inline std::int64_t end_of(const RowSpan& span) {
  return span.offset + (span.last - span.first) * kBlock;
}

/// Finds the spans of couplings (num_rows, num_columns).
///
/// Rows are stored whole unless their spans together are at most a quarter as long: the result is
/// then empty. If no coupling is 0, the search stops after a quarter of the rows.
template <class Real>
RowSpans find_spans(const Real* couplings, std::int64_t num_rows, std::int64_t num_columns);

}  // namespace isingprop
