/// The rungs of parallel tempering: their inverse temperatures and how these adapt, and counts of
/// swaps and round trips.
#pragma once

#include <cstdint>
#include <vector>

namespace isingprop {

/// A ladder of inverse temperatures, its rungs, between which replicas move by swaps.
///
/// An adapting ladder moves its rungs so that every gap rejects the same share of swaps. For rungs
/// at beta = 1, 2, 4, of whose gaps the first rejects half of the swaps and the second none:
///
///     beta                      1       1.5      2                4
///     cumulative rejection      0      0.25      0.5              0.5
///
/// Half of the total, 0.25, is reached at beta = 1.5, so that the new rungs are 1, 1.5 and 4. (In
/// fact they differ a little, because each gap counts as rejecting at least kMinRejection.)
class Ladder {
 public:
  /// When the ladder adapts, rungs 0 and num_betas - 1 stay where they are, and so does rung
  /// `fixed` unless it is negative.
  Ladder(std::int64_t num_betas, std::int64_t fixed);

  const std::vector<double>& betas() const { return betas_; }

  /// Returns log2 of the weight that a swap of rungs k and k + 1 gains,
  /// (beta_k - beta_k+1) (E_k - E_k+1) / ln 2, where slope = 2 beta / ln 2.
  static double log2_ratio(const std::vector<float>& slopes, const std::vector<double>& energies,
                           std::size_t k) {
    return 0.5 * (static_cast<double>(slopes[k]) - static_cast<double>(slopes[k + 1])) *
           (energies[k] - energies[k + 1]);
  }

  /// Begins a new read on these rungs, with all counts at 0.
  void begin(const double* betas);

  /// Learns from the energies of one sweep. Moves the rungs after 16 sweeps, after 32 more, after
  /// 64 more and so on, and returns whether it did.
  bool adapt(const std::vector<float>& slopes, const std::vector<double>& energies);

  /// Counts one swap that was tried in gap k.
  void count(std::size_t k, bool swapped);
  /// Notes which replicas are on the first and on the last rung now.
  void visit(std::int64_t first, std::int64_t last);
  /// Sets all counts to 0, because those of a ladder that still moves mean nothing.
  void forget_counts();

  /// Writes the accepted fraction of the swaps in each gap, or NaN where none was tried.
  void write_acceptance(double* acceptance) const;
  /// Returns how often a replica came back to the first rung from the last one.
  std::int64_t round_trips() const { return round_trips_; }

 private:
  void move_rungs(std::size_t first, std::size_t last);

  std::size_t fixed_;
  std::vector<double> betas_;
  std::vector<double> rejection_;              ///< of each gap, summed over the sweeps of a round
  std::vector<std::int64_t> tried_, swapped_;  ///< of each gap
  std::vector<bool> came_from_last_;  ///< replicas that have visited the last rung since their last
                                      ///< visit to the first
  std::int64_t round_trips_ = 0, round_sweeps_ = 0, round_length_ = 0;
};

}  // namespace isingprop
