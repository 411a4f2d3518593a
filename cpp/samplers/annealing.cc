#include "samplers/annealing.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/aligned.h"
#include "core/dispatch.h"
#include "core/generator.h"
#include "samplers/couplings.h"

namespace isingprop {
namespace {

/// The field of a padded lane: its spin is up and flips at no temperature that is worth the name; where it does, at
/// beta = 0, that is not noted.
constexpr float kPaddingField = -1e30f;
constexpr double kLargestField = 1e30;
constexpr double kTwoOverLn2 = 2.8853900817779268;
/// Times the 2^23 of kernels/acceptance.h it is still a float.
constexpr double kLargestSlope = 0x1p104;
/// A chain looks for an interrupt after about this many additions: a millisecond or less.
constexpr std::int64_t kWorkPerPoll = 1 << 20;
constexpr std::int64_t kPiecesPerThread = 5;
constexpr std::int64_t kLargestPiece = 32;

/// Memory of one chain: for each layer own fields, coupling fields and thresholds as floats, random numbers and signs
/// as words, and the flips.
class ChainStore {
 public:
  ChainStore(std::int64_t num_hidden, std::int64_t num_output)
      : size_(padded(num_hidden) + padded(num_output)),
        floats_(make_aligned<float>(static_cast<std::size_t>(3 * size_))),
        words_(make_aligned<std::uint32_t>(static_cast<std::size_t>(2 * size_ + kGeneratorWords))),
        flips_(make_aligned<std::uint64_t>(
            static_cast<std::size_t>(num_flip_words(num_hidden) + num_flip_words(num_output)))) {
    std::fill_n(floats_.get(), size_, kPaddingField);
  }

  Chain view(std::int64_t num_hidden, std::int64_t num_output, const CouplingGrid& grid) {
    return {layer(0, num_hidden, grid.hidden_rows(), grid.hidden_down(), flips_.get()),
            layer(padded(num_hidden), num_output, grid.output_rows(), grid.output_down(),
                  flips_.get() + num_flip_words(num_hidden)),
            words_.get() + 2 * size_};
  }

  float* hidden_fields() { return floats_.get(); }
  float* output_fields(std::int64_t num_hidden) { return floats_.get() + padded(num_hidden); }

 private:
  Layer layer(std::int64_t at, std::int64_t num_spins, const float* rows, const float* down_fields,
              std::uint64_t* flips) {
    float* floats = floats_.get() + at;
    std::uint32_t* words = words_.get() + at;
    return {num_spins, floats, down_fields, rows, floats + size_, floats + 2 * size_, words, words + size_, flips};
  }

  std::int64_t size_;
  AlignedArray<float> floats_;
  AlignedArray<std::uint32_t> words_;
  AlignedArray<std::uint64_t> flips_;
};

/// Takes fields * scale and gives the sum of their squares, in partial sums that are the same on every target.
template <class Real>
double scale_fields(const Real* fields, std::int64_t num_spins, double scale, float* scaled) {
  double squares[kBlock] = {};
  for (std::int64_t i = 0; i < num_spins; ++i) {
    const double field = scale * static_cast<double>(fields[i]);
    scaled[i] = static_cast<float>(field);
    squares[i % kBlock] += field * field;
  }
  double total = 0.0;
  for (const double square : squares) total += square;
  return total;
}

void read_signs(const std::int8_t* spins, const Layer& layer) {
  for (std::int64_t i = 0; i < layer.num_spins; ++i) layer.signs[i] = spins[i] < 0 ? kSignBit : 0;
}

void write_spins(const Layer& layer, std::int8_t* spins) {
  constexpr int kTwiceSign = 30;  // shifts the sign bit down to 2
  for (std::int64_t i = 0; i < layer.num_spins; ++i) {
    spins[i] = static_cast<std::int8_t>(1 - static_cast<int>(layer.signs[i] >> kTwiceSign));
  }
}

/// The largest |h| of `count` fields. Throws for one that is not finite.
template <class Real>
double largest_field(const Real* fields, std::int64_t count) {
  double largest = 0.0;
  bool good = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const double size = std::abs(static_cast<double>(fields[i]));
    good &= size <= kLargestField;
    largest = std::max(largest, size);
  }
  if (!good) throw std::invalid_argument("fields must be finite and at most 1e30");
  return largest;
}

template <class Real>
void energies_of(const Problem<Real>& problem, std::int64_t b, const std::int8_t* spins, std::int64_t num_states,
                 double* energies) {
  const EnergyJob<Real> job{problem.couplings,    problem.hidden_of(b),
                            problem.output_of(b), problem.num_hidden,
                            problem.num_output,   spins,
                            num_states,           energies};
  if constexpr (sizeof(Real) == sizeof(float)) {
    kernels().energies_f32(job);
  } else {
    kernels().energies_f64(job);
  }
}

/// Runs chains one after the other on one thread.
template <class Real>
class Annealer {
 public:
  Annealer(const Problem<Real>& problem, const AnnealingPlan& plan, const CouplingGrid& grid)
      : problem_(problem),
        plan_(plan),
        grid_(grid),
        memory_(problem.num_hidden, problem.num_output),
        chain_(memory_.view(problem.num_hidden, problem.num_output, grid)),
        slopes_(static_cast<std::size_t>(plan.num_sweeps)) {}

  /// Chains [first, last), numbered problem by problem.
  void run(std::int64_t first, std::int64_t last, std::int8_t* spins, double* energies, Interrupt& interrupt,
           bool polls) {
    const std::int64_t num_spins = problem_.num_hidden + problem_.num_output;
    while (first < last) {
      const std::int64_t b = first / plan_.num_reads;
      const std::int64_t end = std::min(last, (b + 1) * plan_.num_reads);
      if (b != current_) load_fields(b);
      for (std::int64_t chain = first; chain < end; ++chain) {
        run_chain(chain % plan_.num_reads, spins + chain * num_spins, interrupt, polls);
      }
      energies_of(problem_, b, spins + first * num_spins, end - first, energies + first);
      first = end;
    }
  }

 private:
  void load_fields(std::int64_t b) {
    const double scale = std::ldexp(1.0, -grid_.exponent());
    const double squares =
        scale_fields(problem_.hidden_of(b), problem_.num_hidden, scale, memory_.hidden_fields()) +
        scale_fields(problem_.output_of(b), problem_.num_output, scale, memory_.output_fields(problem_.num_hidden));
    const double unit = plan_.relative ? 1.0 / rms_local_field(squares) : std::ldexp(1.0, grid_.exponent());
    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      slopes_[t] = static_cast<float>(std::min(kTwoOverLn2 * (unit * plan_.betas[t]), kLargestSlope));
    }
    current_ = b;
  }

  /// sqrt of the mean over all spins of f_i^2 in a random state, in units of 2^exponent:
  ///     f^2 = (sum_i h_i^2 + sum_a g_a^2 + 2 sum_ia J_ia^2) / (num_hidden + num_output),   1 where that is 0.
  double rms_local_field(double sum_of_squared_fields) const {
    const double spins = static_cast<double>(problem_.num_hidden + problem_.num_output);
    const double square = (sum_of_squared_fields + 2.0 * grid_.sum_of_squares()) / spins;
    return square > 0.0 ? std::sqrt(square) : 1.0;
  }

  void run_chain(std::int64_t read, std::int8_t* spins, Interrupt& interrupt, bool polls) {
    seed_generator(plan_.seed, plan_.streams[current_], static_cast<std::uint64_t>(read), chain_.generator);
    const KernelTable& kernel = kernels();
    if (plan_.initial == nullptr) {
      kernel.seed_signs(chain_);
    } else {
      const std::int8_t* start =
          plan_.initial + current_ * plan_.initial_problem_stride + read * plan_.initial_read_stride;
      read_signs(start, chain_.hidden);
      read_signs(start + problem_.num_hidden, chain_.output);
    }
    const std::int64_t num_spins = problem_.num_hidden + problem_.num_output;
    const std::int64_t work = 1 + problem_.num_hidden * problem_.num_output / kBlock + num_spins;
    const std::int64_t segment = std::max<std::int64_t>(1, kWorkPerPoll / work);
    for (std::int64_t sweep = 0; sweep < plan_.num_sweeps; sweep += segment) {
      if (polls) interrupt.poll();
      if (interrupt.stopped()) throw Interrupted();
      kernel.anneal(chain_, slopes_.data() + sweep, std::min(segment, plan_.num_sweeps - sweep), sweep == 0);
    }
    if (plan_.descend) kernel.descend(chain_);
    write_spins(chain_.hidden, spins);
    write_spins(chain_.output, spins + problem_.num_hidden);
  }

  const Problem<Real>& problem_;
  const AnnealingPlan& plan_;
  const CouplingGrid& grid_;
  ChainStore memory_;
  Chain chain_;
  std::vector<float> slopes_;
  std::int64_t current_ = -1;
};

}  // namespace

template <class Real>
void anneal(const Problem<Real>& problem, const AnnealingPlan& plan, std::int8_t* spins, double* energies,
            Interrupt& interrupt) {
  const std::int64_t output_rows = problem.one_output_row ? 1 : problem.num_problems;
  const double largest = std::max(largest_field(problem.hidden_fields, problem.num_problems * problem.num_hidden),
                                  largest_field(problem.output_fields, output_rows * problem.num_output));
  const CouplingGrid grid(problem.couplings, problem.num_hidden, problem.num_output, largest);
  const std::int64_t chains = problem.num_problems * plan.num_reads;
  const std::int64_t share = plan.num_threads == 1 ? chains : chains / (plan.num_threads * kPiecesPerThread);
  const std::int64_t piece = std::clamp<std::int64_t>(share, 1, kLargestPiece);
  std::vector<std::unique_ptr<Annealer<Real>>> annealers(static_cast<std::size_t>(plan.num_threads));
  parallel_for(plan.num_threads, chains, piece, interrupt, [&](int thread, std::int64_t first, std::int64_t last) {
    auto& annealer = annealers[static_cast<std::size_t>(thread)];
    if (!annealer) {
      annealer = std::make_unique<Annealer<Real>>(problem, plan, grid);
    }
    annealer->run(first, last, spins, energies, interrupt, thread == 0);
  });
}

template <class Real>
void energies(const Problem<Real>& problem, const std::int8_t* spins, std::int64_t num_reads, double* energies,
              Interrupt& interrupt) {
  const std::int64_t num_spins = problem.num_hidden + problem.num_output;
  const std::int64_t piece = std::max<std::int64_t>(1, kWorkPerPoll / (problem.num_hidden * problem.num_output));
  for (std::int64_t b = 0; b < problem.num_problems; ++b) {
    for (std::int64_t read = 0; read < num_reads; read += piece) {
      interrupt.poll();
      if (interrupt.stopped()) throw Interrupted();
      const std::int64_t state = b * num_reads + read;
      energies_of(problem, b, spins + state * num_spins, std::min(piece, num_reads - read), energies + state);
    }
  }
}

template void anneal(const Problem<float>&, const AnnealingPlan&, std::int8_t*, double*, Interrupt&);
template void anneal(const Problem<double>&, const AnnealingPlan&, std::int8_t*, double*, Interrupt&);
template void energies(const Problem<float>&, const std::int8_t*, std::int64_t, double*, Interrupt&);
template void energies(const Problem<double>&, const std::int8_t*, std::int64_t, double*, Interrupt&);

}  // namespace isingprop
