/// Memory of chains that take turns on one thread, and the steps that all samplers share.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "chains/coupling_grid.h"
#include "chains/local_scales.h"
#include "chains/problem.h"
#include "util/aligned.h"
#include "util/interrupt.h"

namespace isingprop {

/// What the inverse temperatures of a sampler mean.
struct BetaUnit {
  bool relative;   ///< multiples of 1 / (local field) as in local_scales.h, else of 1 / (unit of J)
  double largest;  ///< the largest of them
};

/// Chains on the fields of one problem at a time.
///
/// Each chain has its own spins, coupling fields and random generator. All share the own fields and
/// the arrays that are only needed within a half-sweep:
///
///     shared       own fields | fields of the problem | thresholds | tolerances | gains |
///                  random numbers | flips
///     each chain   coupling fields | signs | generator
class Chains {
 public:
  Chains(const CouplingGrid& grid, std::int64_t count, BetaUnit unit);

  const Chain& operator[](std::int64_t k) const { return chains_[static_cast<std::size_t>(k)]; }

  /// Copies the fields of problem b, in units of the grid, to the own fields of the chains, which
  /// pull() may change afterwards, and finds the scale of beta. Returns whether slopes differ from
  /// those of the fields that were loaded before.
  template <class Real>
  bool load_fields(const Problem<Real>& problem, std::int64_t b);

  /// Returns 2 beta / ln 2 in the units of the chains.
  float slope(double beta) const;
  /// Returns a relative beta of this problem in 1 / (unit of J). Where parts of the problem share
  /// no coupling, this is the geometric mean over spins.
  double absolute(double relative);
  /// Returns log2 of the smallest gain of a spin on which anything acts, at most 0: how many bits
  /// the energies of parts, at one temperature, are apart.
  double log2_least_gain() const {
    return chains_.front().hidden.gains == nullptr ? 0.0 : log2_least_gain_;
  }
  /// Returns the beta of a sampler in 1 / (unit of J).
  double in_users_unit(double beta) { return unit_.relative ? absolute(beta) : beta; }

  /// Sets the own fields to those of the problem less bias * (the signs of a chain), which pulls
  /// the chains toward the state of that chain. The bias is in the unit of J.
  void pull(const Chain& reference, double bias);

  /// Copies the spins and coupling fields of one chain to another.
  void copy(std::int64_t from, std::int64_t to);

  /// Writes the state in which a descent of chain k ends, so that no single flip lowers the energy
  /// of problem b, whose fields are loaded. `begins` as in the kernel.
  template <class Real>
  void descend(const Problem<Real>& problem, std::int64_t b, std::int64_t k, bool begins,
               std::int8_t* spins) const;

 private:
  /// What a layer's fields are to the scale of beta.
  struct LayerSums {
    double squares = 0.0;  ///< of the fields of the spins that are not pinned
    std::int64_t num_pinned = 0;
  };

  template <class Real>
  LayerSums scale_fields(const Real* given, const Layer& layer, std::int64_t first);
  bool find_one_scale();
  double pinned_squares(std::int64_t first, std::int64_t count) const;
  double square_sums(std::int64_t first, std::int64_t count) const;
  LocalScales& local_scales();
  void find_gains();

  const CouplingGrid& grid_;
  const BetaUnit unit_;
  std::int64_t size_;        ///< of both layers, padded
  AlignedArray<float> own_;  ///< the shared arrays of floats and the coupling fields
  float *fields_, *tolerances_, *gains_;
  float* coupling_;                    ///< the coupling fields of each chain
  AlignedArray<std::uint32_t> words_;  ///< random numbers, signs of each chain, generators
  AlignedArray<std::uint64_t> flips_;
  std::vector<Chain> chains_;
  std::vector<double> inverse_units_;  ///< of each spin

  bool is_even_;  ///< as a part of CouplingGraph, if all is one part
  LayerSums hidden_, output_;
  bool changed_ = true;                  ///< whether scales_ does not know these fields
  std::unique_ptr<LocalScales> scales_;  ///< made when first needed
  bool has_one_scale_ = false;
  double rms_field_ = 1.0;   ///< of a random state, in the units of the chains, if it is the scale
  double slope_unit_ = 0.0;  ///< slope / (2 beta / ln 2)
  bool gains_are_stale_ = true;
  double gain_unit_ = 1.0;  ///< slope_unit_ with gains
  double log2_least_gain_ = 0.0;
};

/// Converts spins between -1 and +1 outside a chain and sign bits within it.
void read_spins(const std::int8_t* spins, const Chain& chain);
void write_spins(const Chain& chain, std::int8_t* spins);

/// Sets the spins of a chain to `initial` or, if that is null, to random ones.
void start(const std::int8_t* initial, const Chain& chain);

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
