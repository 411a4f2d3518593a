#include "quantum/evolution.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop {
namespace {

constexpr std::int64_t kRowsPerPiece = 64;
constexpr double kQuartersPerRadian = 0.63661977236758134308;  // 2 / pi

/// A state is worked on in tiles that fit into the second cache, in passes over memory that turn by
/// turn rotate its low bits and its high bits. Since these rotations commute, a pass ends one step
/// and begins the next:
///
///     pass k:  rotate(angles[k - 1])  turn(phases[k])  rotate(angles[k])      on the low bits for
///     even k, or the high
///
/// A tile of the low pass is a row of 2^kLowBits neighbours; one of the high pass is so many
/// columns of all rows, copied to a place of its own. With 15 bits, 14 of them low: two tiles in
/// the low pass (rows), two in the high one.
constexpr int kLowBits = 14;
/// Columns of the high pass, at least; two cache lines at least.
constexpr std::int64_t kColumns = 16;

int low_bits(int num_qubits) {
  return std::min(num_qubits, std::max(kLowBits, (num_qubits + 4) / 2));
}

template <class Real>
void turn(const AmplitudeJob<Real>& job, double quarters, double scale) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    kernels().turn_f32(job, quarters, scale);
  } else {
    kernels().turn_f64(job, quarters, scale);
  }
}

template <class Real>
void rotate(const RotationJob<Real>& job) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    kernels().rotate_f32(job);
  } else {
    kernels().rotate_f64(job);
  }
}

/// Multiplies amplitudes, of which the first is number `first`, by i^(turns * ones of their index).
template <class Real>
void turn_quarters(Real* amplitudes, std::int64_t first, std::int64_t count, int turns) {
  for (std::int64_t k = 0; k < count; ++k) {
    Real& re = amplitudes[2 * k];
    Real& im = amplitudes[2 * k + 1];
    const unsigned ones =
        static_cast<unsigned>(std::popcount(static_cast<std::uint64_t>(first + k)));
    const unsigned quarters = static_cast<unsigned>(turns) * ones % 4;
    if (quarters % 2 != 0) re = -std::exchange(im, re);
    if (quarters >= 2) {
      re = -re;
      im = -im;
    }
  }
}

/// In kBlock partial sums, so that the order is the same whatever the compiler makes of it.
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
  for (const double each : sums) sum += each;
  return sum;
}

/// exp(i angle X) on every qubit as so many rotations with the same tangent, at most 1 in size,
/// each without its factor of the cosine; the next turn multiplies by these.
struct Rotation {
  double tangent = 0.0;
  int times = 0;
  double scale = 1.0;  ///< of all qubits
};

/// What a pass does to each of its amplitudes.
struct Pass {
  Rotation before;
  double phase;  ///< in between, in units of pi / 2 per unit of energy
  double scale;
  Rotation after;
  bool first, last;
};

/// 1 / sqrt((1 + tangent^2)^power), right to a unit in the last place or so whatever the power: the
/// sum of probabilities is to last for millions of steps.
double power_of_cosine(double tangent, int power) {
  const double square = tangent * tangent;
  double base = 1.0 + square;
  const double low = square - (base - 1.0) + std::fma(tangent, tangent, -square);
  double product = 1.0, rest = 0.0;
  for (int k = 0; k < power; ++k) {
    const double next = product * base;
    rest = std::fma(product, base, -next) + product * low + rest * base;
    product = next;
  }
  return 1.0 / std::sqrt(product + rest);
}

template <class Real>
Rotation rotation_by(double angle, int num_qubits) {
  const double quarters = angle * kQuartersPerRadian;
  const double halves = std::nearbyint(quarters / 2);  // turns by pi, which change signs
  const double rest = quarters - 2 * halves;
  if (rest == 0.0 && halves == 0.0) return {};
  Rotation rotation;
  rotation.times = std::abs(rest) > 0.5 ? 2 : 1;
  rotation.tangent = static_cast<Real>(kernels().tangent(rest / rotation.times));
  rotation.scale = power_of_cosine(rotation.tangent, num_qubits * rotation.times);
  if (num_qubits % 2 != 0 && std::fmod(halves, 2.0) != 0.0) rotation.scale = -rotation.scale;
  return rotation;
}

/// A piece of the state as a pass has it at hand.
template <class Real>
struct Tile {
  AmplitudeJob<Real> job;
  std::int64_t first,
      row_stride;           ///< number of its first amplitude in the state, and from row to row
  int first_bit, last_bit;  ///< of its own index, to be rotated
};

template <class Real>
void turn_quarters(const Tile<Real>& tile, int turns) {
  const AmplitudeJob<Real>& job = tile.job;
  for (std::int64_t row = 0; row < job.num_rows; ++row) {
    turn_quarters(job.amplitudes + 2 * row * job.row_length, tile.first + row * tile.row_stride,
                  job.row_length, turns);
  }
}

template <class Real>
void rotate(const Tile<Real>& tile, const Rotation& rotation) {
  const std::int64_t count = tile.job.num_rows * tile.job.row_length;
  for (int k = 0; k < rotation.times; ++k) {
    rotate(RotationJob<Real>{tile.job.amplitudes, count, tile.first_bit, tile.last_bit,
                             rotation.tangent});
  }
}

/// Gives the sum of probabilities where the pass is the last.
template <class Real>
double work(const Tile<Real>& tile, const Pass& pass) {
  if (pass.first) turn_quarters(tile, 3);  // (-i)^ones, as the kernels have it
  rotate(tile, pass.before);
  turn(tile.job, pass.phase, pass.scale);
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
        low_(low_bits(evolution.num_qubits)),
        copies_(static_cast<std::size_t>(evolution.num_threads)) {}

  double run() {
    const bool one_tile = low_ == evolution_.num_qubits;
    double sum = 0.0, owed = 1.0;  // what rounding to Real took from the scales before
    Rotation before;
    for (std::int64_t k = 0; k <= evolution_.num_steps; ++k) {
      const bool first = k == 0, last = k == evolution_.num_steps;
      const Rotation after =
          last ? Rotation{} : rotation_by<Real>(evolution_.angles[k], evolution_.num_qubits);
      const double phase = evolution_.phases[k] * kQuartersPerRadian;
      const double scale = static_cast<Real>(before.scale * owed);
      owed *= before.scale / scale;
      const Pass pass{one_tile ? Rotation{} : before, phase, scale, after, first, last};
      sum = k % 2 == 0 || one_tile ? low_pass(pass) : high_pass(pass);
      before = after;
    }
    return sum;
  }

 private:
  /// A tile is a row of neighbours.
  double low_pass(const Pass& pass) {
    const std::int64_t length =
        std::max<std::int64_t>(std::int64_t{1} << low_, kBlock);  // whole blocks, see evolve
    return over_tiles(num_rows(), [&](int, std::int64_t row) {
      const std::int64_t first = row * length;
      return work<Real>(
          {{state_ + 2 * first, 1, length, evolution_.energies + first, 0}, first, 0, 0, low_},
          pass);
    });
  }

  /// A tile is so many columns of all rows, copied next to each other.
  double high_pass(const Pass& pass) {
    const std::int64_t stride = std::int64_t{1} << low_;
    const std::int64_t columns = std::max(kColumns, (std::int64_t{1} << kLowBits) / num_rows());
    const std::int64_t count = num_rows() * columns;
    return over_tiles(stride / columns, [&](int thread, std::int64_t column) {
      auto& copy = copies_[static_cast<std::size_t>(thread)];
      if (!copy) copy = make_unset<Real>(static_cast<std::size_t>(2 * count));
      const std::int64_t first = column * columns;
      for (std::int64_t row = 0; row < num_rows(); ++row) {
        std::copy_n(state_ + 2 * (first + row * stride), 2 * columns,
                    copy.get() + 2 * row * columns);
      }
      const AmplitudeJob<Real> job{copy.get(), num_rows(), columns, evolution_.energies + first,
                                   stride};
      const int bit = std::countr_zero(static_cast<std::uint64_t>(columns));
      const double sum =
          work<Real>({job, first, stride, bit, bit + evolution_.num_qubits - low_}, pass);
      for (std::int64_t row = 0; row < num_rows(); ++row) {
        std::copy_n(copy.get() + 2 * row * columns, 2 * columns,
                    state_ + 2 * (first + row * stride));
      }
      return sum;
    });
  }

  std::int64_t num_rows() const { return std::int64_t{1} << (evolution_.num_qubits - low_); }

  /// The sum of body(thread, tile) over all tiles, in their order.
  template <class Body>
  double over_tiles(std::int64_t num_tiles, const Body& body) {
    std::vector<double> sums(static_cast<std::size_t>(num_tiles));
    parallel_for(evolution_.num_threads, num_tiles, 1, interrupt_,
                 [&](int thread, std::int64_t first, std::int64_t) {
                   interrupt_.look(thread == 0);
                   sums[static_cast<std::size_t>(first)] = body(thread, first);
                 });
    double sum = 0.0;
    for (const double each : sums) sum += each;
    return sum;
  }

  const Evolution& evolution_;
  Real* state_;
  Interrupt& interrupt_;
  int low_;
  std::vector<AlignedArray<Real>> copies_;  ///< one for each thread
};

}  // namespace

void fill_energies(const TableTask& task, int num_threads, double* energies, Interrupt& interrupt) {
  const std::int64_t num_rows = std::int64_t{1} << task.num_output;
  parallel_for(num_threads, num_rows, kRowsPerPiece, interrupt,
               [&](int thread, std::int64_t first, std::int64_t last) {
                 interrupt.look(thread == 0);
                 for (std::int64_t row = first; row < last; ++row) {
                   kernels().energy_row({task.couplings, task.hidden_fields, task.output_fields,
                                         task.num_hidden, task.num_output, row,
                                         energies + (row << task.num_hidden)});
                 }
               });
}

template <class Real>
double evolve(const Evolution& evolution, Real* state, Interrupt& interrupt) {
  if (evolution.num_qubits > kLowBits) return Evolver<Real>(evolution, state, interrupt).run();
  // In a copy at the start of a cache line, where vectors do not cross lines; it is of whole
  // blocks, as kernels want them: the rest is zero, and stays so.
  const std::int64_t count = std::int64_t{1} << evolution.num_qubits;
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(count, kBlock));
  const auto amplitudes = make_aligned<Real>(2 * room);
  const auto energies = make_aligned<double>(room);
  std::copy_n(state, 2 * count, amplitudes.get());
  std::copy_n(evolution.energies, count, energies.get());
  Evolution copied = evolution;
  copied.energies = energies.get();
  const double sum = Evolver<Real>(copied, amplitudes.get(), interrupt).run();
  std::copy_n(amplitudes.get(), 2 * count, state);
  return sum;
}

template double evolve(const Evolution&, float*, Interrupt&);
template double evolve(const Evolution&, double*, Interrupt&);

}  // namespace isingprop
