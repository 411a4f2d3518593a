/// Metropolis updates of rotors, one rotor after the other, with a read in each lane.
///
/// A rotor at theta has the field z = b (g h + f + sum_j J_j cos(theta_j)), whose sum runs in the
/// order of its neighbours. It is offered
///
///     theta' = theta + w eps,   eps uniform in [-pi, pi],   mirrored at 0 and at pi,
///
/// and takes it if log(u) < a (sin(theta') - sin(theta)) - z (cos(theta') - cos(theta)), with u
/// uniform in [0, 1]. Mirrored steps are as probable as their reverse, so that this is the rule of
/// Metropolis et al. (1953, doi:10.1063/1.1699114):
///
///     theta = 3.0, step +0.5:   2 pi - 3.5 = 2.78        theta = 0.2, step -0.5:   |-0.3| = 0.3
///
/// w = min(1, a / b) makes these the transverse-field updates of Albash & Marshall (2021,
/// arXiv:2009.04934), and w = 1 the uniform ones of Shin et al. (2014, arXiv:1401.7087).
#include "kernels/metropolis/random_stream.h"
#include "kernels/metropolis/xoshiro.h"
#include "kernels/rotor/rotor_math.h"
#include "kernels/rotor/rotors.h"
#include "simd/tiles.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// What a rotor is in one vector of reads.
struct Direction {
  VecF angle, cosine, sine;

  /// With x = pi / 2 - theta, cos(theta) = sin(x) and sin(theta) = cos(x).
  ISINGPROP_INLINE Direction of(VecF angle) {
    const VecF x = kHalfPi - angle;
    return {angle, ISINGPROP_TARGET::sine(x), ISINGPROP_TARGET::cosine(x)};
  }
  ISINGPROP_INLINE Direction read(const RotorBlock& block, std::int64_t at) {
    return {load<VecF>(block.angles + at), load<VecF>(block.cosines + at),
            load<VecF>(block.sines + at)};
  }
  inline __attribute__((always_inline)) void write(const RotorBlock& block, std::int64_t at) const {
    store(block.angles + at, angle);
    store(block.cosines + at, cosine);
    store(block.sines + at, sine);
  }
};

/// Updates one rotor in one vector of reads. `field` is z / b, `at` is the place of the vector in
/// the arrays of the block.
ISINGPROP_INLINE void move(const RotorBlock& block, const RotorSweep& sweep, VecF field,
                           std::int64_t at, std::uint32_t* words) {
  Generator generator = Generator::read(words);
  const VecI turn = reinterpret_cast<VecI>(generator.next());
  const VecF log_u = logarithm_of_uniform(generator.next());
  Generator::write(generator, words);

  const Direction old = Direction::read(block, at);
  const VecF step = __builtin_convertvector(turn, VecF) * sweep.step;
  const VecF above = absolute(old.angle + step);
  const VecF mirrored = 2 * kPi - above;
  const Direction offered = Direction::of(above < mirrored ? above : mirrored);

  const VecF gain = (offered.sine - old.sine) * sweep.transverse -
                    (offered.cosine - old.cosine) * (field * sweep.longitudinal);
  const VecI taken = log_u < gain;
  Direction{taken ? offered.angle : old.angle, taken ? offered.cosine : old.cosine,
            taken ? offered.sine : old.sine}
      .write(block, at);
}

/// Updates one rotor in all reads.
ISINGPROP_INLINE void move_in_all(const RotorBlock& block, const RotorSweep& sweep,
                                  std::int64_t rotor) {
  const RotorNeighbour* begin = block.neighbours + block.first[rotor];
  const RotorNeighbour* end = block.neighbours + block.first[rotor + 1];
  const VecF own = splat(sweep.gain * block.fields[rotor] + block.offsets[rotor]);
  const std::int64_t num_vectors = (block.num_reads + kWidth - 1) / kWidth;

  for_tiles(num_vectors, [&]<int N>(std::int64_t vector) {
    VecF fields[N];
    for (int k = 0; k < N; ++k) fields[k] = own;
    for (const RotorNeighbour* n = begin; n != end; ++n) {
      const VecF coupling = splat(n->coupling);
      const float* cosines = block.cosines + n->rotor * block.num_lanes + vector * kWidth;
      for (int k = 0; k < N; ++k) fields[k] += coupling * load<VecF>(cosines + k * kWidth);
    }

    for (int k = 0; k < N; ++k) {
      const std::int64_t lane = (vector + k) * kWidth;
      std::uint32_t* words = block.generators + lane / kBlock * kGeneratorWords + lane % kBlock;
      move(block, sweep, fields[k], rotor * block.num_lanes + lane, words);
    }
  });
}

}  // namespace

void place_rotors(const RotorBlock& block) {
  for (std::int64_t at = 0; at < block.num_rotors * block.num_lanes; at += kWidth) {
    Direction::of(load<VecF>(block.angles + at)).write(block, at);
  }
}

void move_rotors(const RotorBlock& block, const RotorSweep* sweeps, std::int64_t num_sweeps) {
  // Copies, because the compiler would read the originals again after each store.
  const RotorBlock own = block;
  for (std::int64_t t = 0; t < num_sweeps; ++t) {
    const RotorSweep sweep = sweeps[t];
    for (std::int64_t i = 0; i < own.num_rotors; ++i) move_in_all(own, sweep, i);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
