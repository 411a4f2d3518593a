#include "samplers/ladder.h"

#include <algorithm>
#include <limits>

#include "kernels/metropolis/metropolis_rule.h"

namespace isingprop {
namespace {

/// Sweeps of the first round of adaptation; each later round is twice as long.
constexpr std::int64_t kFirstRound = 16;
/// Added to the mean rejection of each gap, so that a gap that rejects nothing still has a length.
constexpr double kMinRejection = 1e-3;

}  // namespace

Ladder::Ladder(std::int64_t num_betas, std::int64_t fixed)
    : fixed_(static_cast<std::size_t>(std::max<std::int64_t>(fixed, 0))),
      betas_(static_cast<std::size_t>(num_betas)),
      rejection_(betas_.size() - 1),
      tried_(betas_.size() - 1),
      swapped_(betas_.size() - 1),
      came_from_last_(betas_.size()) {}

void Ladder::begin(const double* betas) {
  std::copy_n(betas, betas_.size(), betas_.begin());
  std::fill(rejection_.begin(), rejection_.end(), 0.0);
  round_sweeps_ = 0;
  round_length_ = kFirstRound;
  forget_counts();
}

void Ladder::forget_counts() {
  std::fill(tried_.begin(), tried_.end(), 0);
  std::fill(swapped_.begin(), swapped_.end(), 0);
  std::fill(came_from_last_.begin(), came_from_last_.end(), false);
  round_trips_ = 0;
}

bool Ladder::adapt(const std::vector<float>& slopes, const std::vector<double>& energies) {
  for (std::size_t k = 0; k < rejection_.size(); ++k) {
    rejection_[k] += 1.0 - probability(log2_ratio(slopes, energies, k));
  }
  if (++round_sweeps_ < round_length_) return false;

  for (double& sum : rejection_) sum = sum / static_cast<double>(round_sweeps_) + kMinRejection;
  move_rungs(0, fixed_);
  move_rungs(fixed_, betas_.size() - 1);

  std::fill(rejection_.begin(), rejection_.end(), 0.0);
  round_sweeps_ = 0;
  round_length_ *= 2;
  return true;
}

/// Moves the rungs between `first` and `last` to where the cumulative rejection is in equal steps.
/// The rejection within a gap is assumed to grow in proportion to beta.
void Ladder::move_rungs(std::size_t first, std::size_t last) {
  if (last - first < 2) return;
  double total = 0.0;
  for (std::size_t k = first; k < last; ++k) total += rejection_[k];

  const std::vector<double> old = betas_;
  double before = 0.0;  // cumulative rejection up to old rung `gap`
  std::size_t gap = first;
  for (std::size_t k = first + 1; k < last; ++k) {
    const double wanted =
        total * static_cast<double>(k - first) / static_cast<double>(last - first);
    while (gap + 1 < last && before + rejection_[gap] < wanted) before += rejection_[gap++];
    const double part = std::min(1.0, (wanted - before) / rejection_[gap]);
    betas_[k] = old[gap] + part * (old[gap + 1] - old[gap]);
  }
}

void Ladder::count(std::size_t k, bool swapped) {
  ++tried_[k];
  swapped_[k] += swapped;
}

void Ladder::visit(std::int64_t first, std::int64_t last) {
  const auto home = static_cast<std::size_t>(first);
  round_trips_ += came_from_last_[home];
  came_from_last_[home] = false;
  if (first != last) came_from_last_[static_cast<std::size_t>(last)] = true;
}

void Ladder::write_acceptance(double* acceptance) const {
  for (std::size_t k = 0; k < tried_.size(); ++k) {
    acceptance[k] = tried_[k] == 0
                        ? std::numeric_limits<double>::quiet_NaN()
                        : static_cast<double>(swapped_[k]) / static_cast<double>(tried_[k]);
  }
}

}  // namespace isingprop
