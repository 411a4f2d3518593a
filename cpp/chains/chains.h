/// Memory of chains that take turns on one thread, and what all samplers do with a chain before and
/// after its sweeps.
#pragma once

#include <cstdint>
#include <vector>

#include "chains/coupling_grid.h"
#include "chains/problem.h"
#include "util/aligned.h"
#include "util/pool.h"

namespace isingprop {

/// Chains on one set of fields at a time. Each has its own spins, coupling fields and random
/// generator; own fields and what lives within a half-sweep they share.
class Chains {
 public:
  Chains(std::int64_t num_hidden, std::int64_t num_output, const CouplingGrid& grid,
         std::int64_t count);

  const Chain& operator[](std::int64_t k) const { return chains_[static_cast<std::size_t>(k)]; }

  /// Makes the fields of problem b, in units of the grid, the chains' own fields.
  template <class Real>
  void load_fields(const Problem<Real>& problem, std::int64_t b);

  /// 2 beta / ln 2 in the chains' units; beta is in 1 / (rms local field of a random state) where
  /// `relative`.
  float slope(double beta, bool relative) const;
  /// In the user's units: the rms local field of a random state where `relative`, else 1.
  double unit(bool relative) const;
  /// A field of the user's in the chains' units.
  double scaled(double field) const;

  /// Own fields become those of the problem less bias * (the signs of a chain), which pulls chains
  /// toward that state.
  void pull(const Chain& reference, float bias);

  /// Copies spins and coupling fields.
  void copy(std::int64_t from, std::int64_t to);

 private:
  const CouplingGrid& grid_;
  std::int64_t size_;        ///< of both layers, padded
  AlignedArray<float> own_;  ///< own fields, those of the problem, thresholds; then coupling fields
  float* coupling_;          ///< of each chain
  AlignedArray<std::uint32_t>
      words_;  ///< random numbers; signs of each chain; generator of each chain
  AlignedArray<std::uint64_t> flips_;
  std::vector<Chain> chains_;
  double rms_field_ = 1.0;  ///< in the chains' units
};

/// The same spins in another form: -1 and +1 outside, sign bits within a chain.
void read_spins(const std::int8_t* spins, const Chain& chain);
void write_spins(const Chain& chain, std::int8_t* spins);

/// From `initial`, or, where that is null, at random.
void start(const std::int8_t* initial, const Chain& chain);

/// The largest |h| of all fields. Throws std::invalid_argument for one that is not finite.
template <class Real>
double largest_field(const Problem<Real>& problem);

/// Looks for an interrupt every millisecond or so.
class Watch {
 public:
  Watch(const Chain& chain, Interrupt& interrupt, bool asks);

  /// So many sweeps of one chain may go by between two looks.
  std::int64_t sweeps_between_looks() const { return sweeps_; }
  /// Call it after so many sweeps, or before them. Throws Interrupted.
  void after(std::int64_t sweeps) {
    if ((left_ -= sweeps) > 0) return;
    left_ = sweeps_;
    interrupt_.look(asks_);
  }

 private:
  Interrupt& interrupt_;
  bool asks_;
  std::int64_t sweeps_, left_ = 0;
};

}  // namespace isingprop
