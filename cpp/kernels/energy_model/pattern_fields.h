/// Fields of hidden units for given outputs of an energy-based model.
///
/// A pattern y is one choice of all binary outputs: bit m of its number is output m.
///
///     pattern 6 = 0b110   ->   outputs 1 and 2 are 1, output 0 is 0;  (W2^T y)_j = W2_1j + W2_2j
#pragma once

#include <cstdint>

#include "simd/layout.h"
#include "simd/target.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// A field so low that a unit with it is never 1.
constexpr double kNeverOn = -1e30;

/// Returns whether output m of a pattern is 1.
ISINGPROP_INLINE bool is_on(std::int64_t pattern, std::int64_t m) {
  return (pattern >> m & 1) != 0;
}

/// Computes (W2^T y)_j of all hidden units j, summed over the outputs in order. Fills the padding
/// with kNeverOn.
static void fields_of_pattern(const double* weights, std::int64_t num_hidden, std::int64_t pattern,
                              double* fields) {
  for (std::int64_t j = 0; j < padded(num_hidden); ++j) fields[j] = j < num_hidden ? 0.0 : kNeverOn;
  for (std::int64_t m = 0; pattern >> m != 0; ++m) {
    if (!is_on(pattern, m)) continue;
    const double* row = weights + m * num_hidden;
    for (std::int64_t j = 0; j < num_hidden; ++j) fields[j] += row[j];
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
