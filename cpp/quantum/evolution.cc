/// Evolution of a state vector in tiles that fit into the second-level cache.
///
/// A pass goes over memory once and works on one tile after the other. Passes alternate between the
/// low qubits, whose pairs lie within a row of 2^kLowBits neighbours, and the high ones, whose
/// pairs lie in different rows. Since rotations of different qubits commute, a pass ends one step
/// and begins the next one:
///
///     pass k:  rotate(angles[k - 1])   turn(phases[k])   rotate(angles[k])
///              on the low qubits if k is even, on the high qubits if k is odd
///
/// With 15 qubits, 14 of them low, a state is two rows of 16,384 amplitudes. A low pass has two
/// tiles, the rows; a high pass has two tiles, each the left or the right half of both rows:
///
///     low pass    [ tile 0                     ]      high pass   [ tile 0     ][ tile 1     ]
///                 [ tile 1                     ]                  [ tile 0     ][ tile 1     ]
///
/// Tiles of the high pass are copied to memory of their own, so that the rows lie next to each
/// other.
#include "quantum/evolution.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "quantum/rotation.h"
#include "targets/dispatch.h"
#include "util/aligned.h"
#include "util/pool.h"

namespace isingprop {
namespace {

/// Qubits of a tile: 2^14 amplitudes in double precision are 256 kB.
constexpr int kLowBits = 14;
/// The high pass reads at least this many amplitudes of each row: two cache lines in single
/// precision.
constexpr std::int64_t kMinColumns = 16;

int num_low_bits(int num_qubits) {
  // Of many qubits, half and two more are low, so that a tile of the high pass still fits.
  return std::min(num_qubits, std::max(kLowBits, (num_qubits + 4) / 2));
}

/// Multiplies `count` amplitudes, of which the first has index `first`, by
/// i^(turns * (number of ones of the index)).
template <class Real>
void turn_quarters(Real* amplitudes, std::int64_t first, std::int64_t count, int turns) {
  for (std::int64_t k = 0; k < count; ++k) {
    Real& re = amplitudes[2 * k];
    Real& im = amplitudes[2 * k + 1];
    const auto index = static_cast<std::uint64_t>(first + k);
    const unsigned ones = static_cast<unsigned>(std::popcount(index));
    const unsigned quarters = static_cast<unsigned>(turns) * ones % 4;

    if (quarters % 2 != 0) re = -std::exchange(im, re);
    if (quarters >= 2) {
      re = -re;
      im = -im;
    }
  }
}

/// Returns the sum of squares in kBlock partial sums, whose order does not depend on the compiler.
template <class Real>
double sum_of_squares(const Real* amplitudes, std::int64_t count) {
  std::array<double, kBlock> sums{};
  for (std::int64_t k = 0; k < 2 * count; k += kBlock) {
    for (int lane = 0; lane < kBlock; ++lane) {
      const double x = amplitudes[k + lane];
      sums[static_cast<std::size_t>(lane)] += x * x;
    }
  }

  double sum = 0.0;
  for (const double partial : sums) sum += partial;
  return sum;
}

/// What a pass does to each amplitude, in this order.
struct Pass {
  Rotation before;
  double phase;  ///< of the turn, in units of pi / 2 per unit of energy
  double scale;  ///< of the turn
  Rotation after;
  bool first, last;
};

/// One tile of a pass, in memory.
template <class Real>
struct Tile {
  AmplitudeJob<Real> job;
  std::int64_t first;       ///< index in the state of its first amplitude
  std::int64_t row_stride;  ///< of the same index, from one row of the tile to the next
  int first_bit, last_bit;  ///< the bits of indices within the tile that are rotated
};

template <class Real>
void turn_quarters(const Tile<Real>& tile, int turns) {
  const AmplitudeJob<Real>& job = tile.job;
  for (std::int64_t row = 0; row < job.num_rows; ++row) {
    Real* amplitudes = job.amplitudes + 2 * row * job.row_length;
    turn_quarters(amplitudes, tile.first + row * tile.row_stride, job.row_length, turns);
  }
}

template <class Real>
void rotate(const Tile<Real>& tile, const Rotation& rotation) {
  const RotationJob<Real> job{.amplitudes = tile.job.amplitudes,
                              .count = tile.job.num_rows * tile.job.row_length,
                              .first_bit = tile.first_bit,
                              .last_bit = tile.last_bit,
                              .tangent = rotation.tangent};
  for (int k = 0; k < rotation.times; ++k) kernels().of<Real>().rotate(job);
}

/// Returns the sum of the tile's probabilities after the last pass, and 0 after the others.
template <class Real>
double run_pass(const Tile<Real>& tile, const Pass& pass) {
  if (pass.first) turn_quarters(tile, 3);  // by (-i)^ones, as amplitudes.h has it
  rotate(tile, pass.before);
  kernels().of<Real>().turn(tile.job, pass.phase, pass.scale);
  rotate(tile, pass.after);

  if (!pass.last) return 0.0;
  turn_quarters(tile, 1);
  return sum_of_squares(tile.job.amplitudes, tile.job.num_rows * tile.job.row_length);
}

template <class Real>
class Evolver {
 public:
  Evolver(const Evolution& evolution, Real* state, Interrupt& interrupt)
      : evolution_(evolution),
        state_(state),
        interrupt_(interrupt),
        low_bits_(num_low_bits(evolution.num_qubits)),
        copies_(static_cast<std::size_t>(evolution.num_threads)) {}

  double run() {
    const bool one_tile = low_bits_ == evolution_.num_qubits;
    double sum = 0.0;
    double correction = 1.0;  // for the rounding of earlier scales to Real
    Rotation before;

    for (std::int64_t k = 0; k <= evolution_.num_steps; ++k) {
      const bool last = k == evolution_.num_steps;
      Rotation after;
      if (!last) after = rotation_by<Real>(evolution_.angles[k], evolution_.num_qubits);
      const double scale = static_cast<Real>(before.scale * correction);
      correction *= before.scale / scale;

      const Pass pass{.before = one_tile ? Rotation{} : before,
                      .phase = evolution_.phases[k] * kQuartersPerRadian,
                      .scale = scale,
                      .after = after,
                      .first = k == 0,
                      .last = last};
      sum = k % 2 == 0 || one_tile ? low_pass(pass) : high_pass(pass);
      before = after;
    }
    return sum;
  }

 private:
  double low_pass(const Pass& pass) {
    const std::int64_t row_length = std::int64_t{1} << low_bits_;
    const std::int64_t length = std::max<std::int64_t>(row_length, kBlock);  // see evolve_copy()

    return over_tiles(num_rows(), [&](int, std::int64_t row) {
      const std::int64_t first = row * length;
      return run_pass<Real>({.job = {.amplitudes = state_ + 2 * first,
                                     .num_rows = 1,
                                     .row_length = length,
                                     .energies = evolution_.energies + first,
                                     .energy_stride = 0},
                             .first = first,
                             .row_stride = 0,
                             .first_bit = 0,
                             .last_bit = low_bits_},
                            pass);
    });
  }

  double high_pass(const Pass& pass) {
    const std::int64_t stride = std::int64_t{1} << low_bits_;
    const std::int64_t columns = std::max(kMinColumns, (std::int64_t{1} << kLowBits) / num_rows());
    const int column_bits = std::countr_zero(static_cast<std::uint64_t>(columns));
    const std::int64_t count = num_rows() * columns;

    return over_tiles(stride / columns, [&](int thread, std::int64_t column) {
      auto& copy = copies_[static_cast<std::size_t>(thread)];
      if (!copy) copy = make_uninitialized<Real>(static_cast<std::size_t>(2 * count));
      const std::int64_t first = column * columns;
      for (std::int64_t row = 0; row < num_rows(); ++row) {
        Real* in_state = state_ + 2 * (first + row * stride);
        std::copy_n(in_state, 2 * columns, copy.get() + 2 * row * columns);
      }

      const double sum =
          run_pass<Real>({.job = {.amplitudes = copy.get(),
                                  .num_rows = num_rows(),
                                  .row_length = columns,
                                  .energies = evolution_.energies + first,
                                  .energy_stride = stride},
                          .first = first,
                          .row_stride = stride,
                          .first_bit = column_bits,
                          .last_bit = column_bits + evolution_.num_qubits - low_bits_},
                         pass);

      for (std::int64_t row = 0; row < num_rows(); ++row) {
        Real* in_state = state_ + 2 * (first + row * stride);
        std::copy_n(copy.get() + 2 * row * columns, 2 * columns, in_state);
      }
      return sum;
    });
  }

  std::int64_t num_rows() const { return std::int64_t{1} << (evolution_.num_qubits - low_bits_); }

  /// Returns the sum of body(thread, tile) over all tiles, added in the order of the tiles.
  template <class Body>
  double over_tiles(std::int64_t num_tiles, const Body& body) {
    std::vector<double> sums(static_cast<std::size_t>(num_tiles));
    const auto run_tile = [&](int thread, std::int64_t tile, std::int64_t) {
      interrupt_.check(thread == 0);
      sums[static_cast<std::size_t>(tile)] = body(thread, tile);
    };
    parallel_for(evolution_.num_threads, num_tiles, 1, interrupt_, run_tile);

    double sum = 0.0;
    for (const double partial : sums) sum += partial;
    return sum;
  }

  const Evolution& evolution_;
  Real* state_;
  Interrupt& interrupt_;
  int low_bits_;
  std::vector<AlignedArray<Real>> copies_;  ///< the tile of each thread in a high pass
};

/// Evolves a copy of a small state.
///
/// The copy begins at the start of a cache line, so that vectors do not cross lines. It has at
/// least a whole block of amplitudes, as the kernels need; those beyond the state are 0, and stay
/// so.
template <class Real>
double evolve_copy(const Evolution& evolution, Real* state, Interrupt& interrupt) {
  const std::int64_t count = std::int64_t{1} << evolution.num_qubits;
  const auto capacity = static_cast<std::size_t>(std::max<std::int64_t>(count, kBlock));
  const auto amplitudes = make_zeroed<Real>(2 * capacity);
  const auto energies = make_zeroed<double>(capacity);
  std::copy_n(state, 2 * count, amplitudes.get());
  std::copy_n(evolution.energies, count, energies.get());

  Evolution of_copy = evolution;
  of_copy.energies = energies.get();
  const double sum = Evolver<Real>(of_copy, amplitudes.get(), interrupt).run();

  std::copy_n(amplitudes.get(), 2 * count, state);
  return sum;
}

}  // namespace

template <class Real>
double evolve(const Evolution& evolution, Real* state, Interrupt& interrupt) {
  if (evolution.num_qubits <= kLowBits) return evolve_copy(evolution, state, interrupt);
  return Evolver<Real>(evolution, state, interrupt).run();
}

template double evolve(const Evolution&, float*, Interrupt&);
template double evolve(const Evolution&, double*, Interrupt&);

}  // namespace isingprop
