#include "rotors/rotor_annealing.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/metropolis/random_stream.h"
#include "simd/layout.h"
#include "targets/dispatch.h"
#include "util/aligned.h"
#include "util/pool.h"

namespace isingprop {
namespace {

/// Reads in a block at most: more hide no more of the latency of the processor, and need caches.
constexpr std::int64_t kMostReads = 64;
/// Updates of a rotor in a read between two checks for an interrupt, a few milliseconds.
constexpr std::int64_t kUpdatesPerCheck = 1 << 20;

/// Returns how many reads each block has, but for the last one, which may have fewer: a multiple of
/// the threads has almost equal blocks, unless that would leave lanes of a block idle.
std::int64_t reads_per_block(const RotorPlan& plan) {
  const auto over = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t fewest = over(plan.num_reads, kMostReads);
  const std::int64_t num_blocks = over(fewest, plan.num_threads) * plan.num_threads;
  return std::max<std::int64_t>(over(plan.num_reads, num_blocks), kBlock);
}

std::vector<RotorSweep> rounded_sweeps(const RotorPlan& plan) {
  std::vector<RotorSweep> sweeps;
  for (std::int64_t t = 0; t < plan.num_sweeps; ++t) {
    sweeps.push_back(
        {.transverse = static_cast<float>(plan.transverse[t] * kLogUnitsPerEnergy),
         .longitudinal = static_cast<float>(plan.longitudinal[t] * kLogUnitsPerEnergy),
         .gain = static_cast<float>(plan.gains[t]),
         .step = static_cast<float>(plan.widths[t] * (static_cast<double>(kPi) * 0x1p-31))});
  }
  return sweeps;
}

/// Anneals blocks of reads on one thread.
class RotorAnnealer {
 public:
  RotorAnnealer(const RotorModel& model, const RotorPlan& plan,
                const std::vector<RotorSweep>& sweeps, std::int64_t most_reads)
      : plan_(plan), sweeps_(sweeps), block_(model.block()) {
    block_.num_lanes = padded(most_reads);
    const auto lanes = static_cast<std::size_t>(block_.num_lanes);
    const auto numbers = static_cast<std::size_t>(block_.num_rotors) * lanes;
    directions_ = make_zeroed<float>(3 * numbers);
    generators_ = make_zeroed<std::uint32_t>(lanes / kBlock * kGeneratorWords);
    block_.angles = directions_.get();
    block_.cosines = block_.angles + numbers;
    block_.sines = block_.cosines + numbers;
    block_.generators = generators_.get();
  }

  /// Anneals reads [first, last) of the plan.
  void run(std::int64_t first, std::int64_t last, Interrupt& interrupt, bool may_poll) {
    block_.num_reads = last - first;
    seed(first, last);
    start(first, last);
    const KernelTable& kernel = kernels();
    kernel.place_rotors(block_);

    const std::int64_t updates = block_.num_rotors * block_.num_reads;
    const std::int64_t segment = std::max<std::int64_t>(1, kUpdatesPerCheck / updates);
    for (std::int64_t t = 0; t < plan_.num_sweeps; t += segment) {
      interrupt.check(may_poll);
      kernel.move_rotors(block_, sweeps_.data() + t, std::min(segment, plan_.num_sweeps - t));
    }
  }

  /// Writes the rows of reads [first, last), which have just been annealed.
  void write(std::int64_t first, std::int64_t last, std::int8_t* spins, float* angles) const {
    for_tiles_of_rotors([&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t read = first; read < last; ++read) {
        for (std::int64_t i = begin; i < end; ++i) {
          const float angle = block_.angles[i * block_.num_lanes + read - first];
          int is_up = angle < kHalfPi;  // no branch, because nothing predicts it
          if (angle == kHalfPi) is_up = is_heads(read, i);
          spins[read * block_.num_rotors + i] = static_cast<std::int8_t>(2 * is_up - 1);
          angles[read * block_.num_rotors + i] = angle;
        }
      }
    });
  }

 private:
  /// Calls work(begin, end) for a few rotors at a time, whose rows stay in the first cache while
  /// they are transposed.
  template <class Work>
  void for_tiles_of_rotors(const Work& work) const {
    for (std::int64_t begin = 0; begin < block_.num_rotors; begin += kBlock) {
      work(begin, std::min(begin + kBlock, block_.num_rotors));
    }
  }

  std::uint64_t key_of(std::int64_t read) const {
    const auto number = static_cast<std::uint64_t>(plan_.first_read + read);
    return stream_key(plan_.seed, plan_.stream, number);
  }

  bool is_heads(std::int64_t read, std::int64_t rotor) const {
    return fold(key_of(read), static_cast<std::uint64_t>(rotor) + 1) >> 63 == 0;
  }

  /// Seeds the generators of reads [first, last).
  void seed(std::int64_t first, std::int64_t last) {
    for (std::int64_t lane = 0; lane < last - first; ++lane) {
      std::uint32_t words[kGeneratorWords];
      seed_generator(key_of(first + lane), words);
      std::uint32_t* own = block_.generators + lane / kBlock * kGeneratorWords + lane % kBlock;
      for (int k = 0; k < kGeneratorWords / kBlock; ++k) own[k * kBlock] = words[k];
    }
  }

  /// Sets the start angles of reads [first, last).
  void start(std::int64_t first, std::int64_t last) {
    const std::int64_t lanes = block_.num_lanes, num_rotors = block_.num_rotors;
    if (plan_.initial == nullptr) {
      std::fill_n(block_.angles, num_rotors * lanes, kHalfPi);
      return;
    }

    const std::int64_t stride = plan_.one_initial_row ? 0 : num_rotors;
    for_tiles_of_rotors([&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t read = first; read < last; ++read) {
        for (std::int64_t i = begin; i < end; ++i) {
          block_.angles[i * lanes + read - first] = plan_.initial[read * stride + i];
        }
      }
    });
  }

  const RotorPlan& plan_;
  const std::vector<RotorSweep>& sweeps_;
  RotorBlock block_;
  AlignedArray<float> directions_;  ///< angles, cosines and sines of the block
  AlignedArray<std::uint32_t> generators_;
};

}  // namespace

void anneal_rotors(const RotorModel& model, const RotorPlan& plan, std::int8_t* spins,
                   float* angles, Interrupt& interrupt) {
  const std::vector<RotorSweep> sweeps = rounded_sweeps(plan);
  const std::int64_t piece = reads_per_block(plan);
  std::vector<std::unique_ptr<RotorAnnealer>> annealers(static_cast<std::size_t>(plan.num_threads));

  parallel_for(plan.num_threads, plan.num_reads, piece, interrupt,
               [&](int thread, std::int64_t first, std::int64_t last) {
                 auto& annealer = annealers[static_cast<std::size_t>(thread)];
                 if (!annealer) {
                   annealer = std::make_unique<RotorAnnealer>(model, plan, sweeps,
                                                              std::min(piece, plan.num_reads));
                 }
                 annealer->run(first, last, interrupt, thread == 0);
                 annealer->write(first, last, spins, angles);
               });
}

}  // namespace isingprop
