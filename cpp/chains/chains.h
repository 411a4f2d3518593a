/// Memory of chains that take turns on one thread, and the steps that all samplers share.
#pragma once

#include <cstdint>
#include <vector>

#include "chains/coupling_grid.h"
#include "chains/problem.h"
#include "util/aligned.h"
#include "util/interrupt.h"

namespace isingprop {

/// Chains on the fields of one problem at a time.
///
/// Each chain has its own spins, coupling fields and random generator. All share the own fields and
/// the arrays that are only needed within a half-sweep:
///
///     shared       own fields | fields of the problem | thresholds | random numbers | flips
///     each chain   coupling fields | signs | generator
class Chains {
 public:
  Chains(std::int64_t num_hidden, std::int64_t num_output, const CouplingGrid& grid,
         std::int64_t count);

  const Chain& operator[](std::int64_t k) const { return chains_[static_cast<std::size_t>(k)]; }

  /// Copies the fields of problem b, in units of the grid, to the own fields of the chains, which
  /// pull() may change afterwards.
  template <class Real>
  void load_fields(const Problem<Real>& problem, std::int64_t b);

  /// Returns 2 beta / ln 2 in the units of the chains. If `relative`, beta is a multiple of
  /// 1 / (rms local field of a random state).
  float slope(double beta, bool relative) const;
  /// Returns the unit in which 1 / beta is measured, in the user's units: the rms local field of a
  /// random state if `relative`, else 1.
  double unit(bool relative) const;
  /// Returns a field of the user in the units of the chains.
  double scaled(double field) const;

  /// Sets the own fields to those of the problem less bias * (the signs of a chain), which pulls
  /// the chains toward the state of that chain.
  void pull(const Chain& reference, float bias);

  /// Copies the spins and coupling fields of one chain to another.
  void copy(std::int64_t from, std::int64_t to);

 private:
  const CouplingGrid& grid_;
  std::int64_t size_;        ///< of both layers, padded
  AlignedArray<float> own_;  ///< own fields, fields of the problem, thresholds, coupling fields
  float* coupling_;          ///< the coupling fields of each chain
  AlignedArray<std::uint32_t> words_;  ///< random numbers, signs of each chain, generators
  AlignedArray<std::uint64_t> flips_;
  std::vector<Chain> chains_;
  double rms_field_ = 1.0;  ///< of a random state, in the units of the chains
};

/// Converts spins between -1 and +1 outside a chain and sign bits within it.
void read_spins(const std::int8_t* spins, const Chain& chain);
void write_spins(const Chain& chain, std::int8_t* spins);

/// Sets the spins of a chain to `initial` or, if that is null, to random ones.
void start(const std::int8_t* initial, const Chain& chain);

/// Returns the largest |h| of all fields. Throws std::invalid_argument if one is not finite.
template <class Real>
double largest_field(const Problem<Real>& problem);

/// Checks for an interrupt about once in a millisecond of sweeps.
class InterruptTimer {
 public:
  /// `may_poll` is true on the calling thread only.
  InterruptTimer(const Chain& chain, Interrupt& interrupt, bool may_poll);

  /// Returns how many sweeps of one chain may pass between two checks.
  std::int64_t sweeps_between_checks() const { return sweeps_; }

  /// Counts sweeps that have been done or are about to be done. Throws Interrupted.
  void count(std::int64_t sweeps) {
    if ((left_ -= sweeps) > 0) return;
    left_ = sweeps_;
    interrupt_.check(may_poll_);
  }

 private:
  Interrupt& interrupt_;
  bool may_poll_;
  std::int64_t sweeps_, left_ = 0;
};

}  // namespace isingprop
