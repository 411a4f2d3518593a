/// The fields and couplings of rotors, as the kernels take them.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/rotor/rotors.h"

namespace isingprop {

/// Couplings J and fields h and f, as a caller gives them.
struct RotorProblem {
  std::int64_t num_rotors, num_couplings;
  const std::int64_t* ends;  ///< (num_couplings, 2), two different rotors in each row
  const double* couplings;   ///< (num_couplings,) J
  const double* fields;      ///< (num_rotors,) h, which the gain multiplies
  const double* offsets;     ///< (num_rotors,) f, which it does not
};

/// A model rounded to floats, with the neighbours of each rotor in ascending order, so that the
/// order in which couplings are given changes no bit:
///
///     couplings (2, 0), (0, 1)   ->   neighbours of 0: 1, 2    of 1: 0    of 2: 0
class RotorModel {
 public:
  /// Throws std::invalid_argument if two couplings have the same two rotors.
  explicit RotorModel(const RotorProblem& problem);

  std::int64_t num_rotors() const { return static_cast<std::int64_t>(fields_.size()); }

  /// Returns a block of no reads, whose lanes the caller provides.
  RotorBlock block() const;

 private:
  std::vector<std::int64_t> first_;  ///< of RotorBlock, and so are the others
  std::vector<RotorNeighbour> neighbours_;
  std::vector<float> fields_, offsets_;
};

}  // namespace isingprop
