/// The rungs of parallel tempering: their inverse temperatures, how they adapt, and who has swapped
/// and travelled.
#pragma once

#include <cstdint>
#include <vector>

namespace isingprop {

class Ladder {
 public:
  /// Rungs 0 and num_betas - 1 stay where they are when the ladder adapts, and so does rung
  /// `fixed`, where >= 0.
  Ladder(std::int64_t num_betas, std::int64_t fixed);

  const std::vector<double>& betas() const { return betas_; }

  /// log2 of the weight that a swap of rungs k and k + 1 gains: (beta_k - beta_l) (E_k - E_l) / ln
  /// 2, with slope = 2 beta / ln 2.
  static double log2_ratio(const std::vector<float>& slopes, const std::vector<double>& energies,
                           std::size_t k) {
    return 0.5 * (static_cast<double>(slopes[k]) - static_cast<double>(slopes[k + 1])) *
           (energies[k] - energies[k + 1]);
  }

  /// A new read: these rungs, nothing counted yet.
  void begin(const double* betas);

  /// Learns from the energies of one sweep. After 16 sweeps, 32 more, 64 more and so on it moves
  /// the rungs, and says so.
  bool adapt(const std::vector<float>& slopes, const std::vector<double>& energies);

  void count(std::size_t k, bool swapped);
  /// Which replicas are on the first and the last rung now.
  void visit(std::int64_t first, std::int64_t last);
  /// Forgets the swaps and trips so far: those of a ladder that was still moving.
  void forget_counts();

  void write_acceptance(double* acceptance) const;
  std::int64_t round_trips() const { return round_trips_; }

 private:
  void move_rungs(std::size_t first, std::size_t last);

  std::size_t fixed_;
  std::vector<double> betas_, rejection_;  ///< summed over the sweeps of a round
  std::vector<std::int64_t> tried_, swapped_;
  std::vector<bool> came_from_last_;
  std::int64_t round_trips_ = 0, round_sweeps_ = 0, round_length_ = 0;
};

}  // namespace isingprop
