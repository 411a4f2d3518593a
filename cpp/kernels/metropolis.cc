/// Simulated annealing of one chain by event-driven block Metropolis updates.
///
/// Spins of one layer do not couple to each other, so given the other layer they are independent and a whole layer is
/// updated at once (a half-sweep). For E = sum h_i s_i + sum J_ij s_i t_j, flipping spin i costs -2 s_i f_i with
/// f_i = h_i + k_i, k_i = sum_j J_ij t_j, and it is done with probability
///
///     kMove * min(1, exp(2 beta s_i f_i))
///
/// (Metropolis et al. 1953, doi:10.1063/1.1699114), that is where  min(slope * s_i f_i, 0) > log2(u / kMove)  with
/// u uniform and slope = 2 beta / ln 2. kMove < 1 keeps the chain aperiodic: with 1, spins without a field would flip
/// in lockstep for ever, and at beta = 0 the state would only alternate with its mirror image.
///
/// Few spins flip, so k is not recomputed but follows the flips: when t_j turns over, k_i += 2 J_ij t_j (new t_j).
/// A worked example, three hidden spins and one output spin t = +1 with J = (0.5, -0.25, 1) and no other fields:
///
///     k_output = 0.5 s_0 - 0.25 s_1 + s_2
///     s = (+, +, +): k_output = 1.25; say s_2 flips:  k_output += 2 * 1 * (-1)  ->  -0.75
///
/// All J are multiples of one quantum (CouplingGrid), so each k is exact whatever the order: no drift, and the same
/// bits whether a target adds 4, 8 or 16 at a time or fuses multiply and add.
///
/// Work per half-sweep of n spins: n random numbers, and flips * (spins of the other layer) additions.
#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr std::int64_t kLanesPerWord = 64;

/// log2 of kMove = 63/64. A smaller one mixes faster without fields but anneals worse: 15/16 costs 7 % in residual
/// energy after 100 sweeps of K_{120,40}, 63/64 costs 1.6 %.
constexpr float kLog2Move = -0.02272007650008353f;

/// xoshiro128+ (Blackman & Vigna 2021, doi:10.1145/3460772), one generator per lane.
struct Generator {
  VecU a, b, c, d;

  ISINGPROP_INLINE Generator read(const std::uint32_t* words) {
    return {load<VecU>(words), load<VecU>(words + kBlock), load<VecU>(words + 2 * kBlock),
            load<VecU>(words + 3 * kBlock)};
  }
  ISINGPROP_INLINE void write(const Generator& g, std::uint32_t* words) {
    store(words, g.a);
    store(words + kBlock, g.b);
    store(words + 2 * kBlock, g.c);
    store(words + 3 * kBlock, g.d);
  }
  inline __attribute__((always_inline)) VecU next() {
    const VecU out = a + d;
    const VecU shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >> 21);
    return out;
  }
};

/// log2(u / kMove) for u = r / 2^32, within 1.7e-5; a minimax polynomial in the mantissa, exact at its two ends.
ISINGPROP_INLINE VecF log2_uniform(VecU r) {
  const VecF u = __builtin_convertvector(reinterpret_cast<VecI>(r >> 1), VecF);
  const VecU word = reinterpret_cast<VecU>(u);
  const VecF exponent = __builtin_convertvector(reinterpret_cast<VecI>(word >> 23), VecF);
  const VecF m = reinterpret_cast<VecF>((word & 0x007fffffu) | 0x3f800000u);
  constexpr float kExponentOfOne = 127.0f + 31.0f;  // the float format's bias, and u is scaled by 2^31
  VecF p = splat(0.0451492146f);
  p = p * m - 0.419322103f;
  p = p * m + 1.64140248f;
  p = p * m - 3.56886339f;
  p = p * m + 5.10697889f;
  p = p * m - (2.80534482f + kExponentOfOne + kLog2Move);
  return exponent + p;
}

/// One bit for each lane of the last block that holds a spin.
ISINGPROP_INLINE unsigned last_lanes(std::int64_t num_spins) { return 0xffffu >> (padded(num_spins) - num_spins); }

/// Asks wants_flip(s_i f_i) of every spin, turns over those that say yes, and notes them in layer.flips. By value, so
/// that the compiler knows that no store changes the layer.
template <class WantsFlip>
ISINGPROP_INLINE void flip_layer(Layer layer, int lane, const WantsFlip& wants_flip) {
  const std::int64_t blocks = num_blocks(layer.num_spins);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t at = block * kBlock + lane;
    const VecU signs = load<VecU>(layer.signs + at);
    const VecF field = load<VecF>(layer.own_fields + at) + load<VecF>(layer.coupling_fields + at);
    const Lanes flips = wants_flip(reinterpret_cast<VecF>(reinterpret_cast<VecU>(field) ^ signs));
    store(layer.signs + at, flip_sign(signs, flips));
    const unsigned before = lane == 0 ? 0u : layer.flips[block];
    layer.flips[block] = static_cast<std::uint16_t>(before | bits(flips) << lane);
  }
  const unsigned noted = layer.flips[blocks - 1];
  layer.flips[blocks - 1] = static_cast<std::uint16_t>(noted & last_lanes(layer.num_spins));
}

/// +1 or -1 as the sign bit says, without a branch: which way a spin flips is a coin toss to the processor.
ISINGPROP_INLINE float one_with_sign(std::uint32_t sign) {
  const std::uint32_t word = 0x3f800000u | sign;
  float one;
  __builtin_memcpy(&one, &word, sizeof one);
  return one;
}

/// Lets the other layer's coupling fields follow the flips of this one.
ISINGPROP_INLINE void follow_flips(const Layer& layer, const Layer& other) {
  const std::int64_t stride = padded(other.num_spins);
  const std::int64_t words = (num_blocks(layer.num_spins) * kBlock + kLanesPerWord - 1) / kLanesPerWord;
  for_tiles(stride / kWidth, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
    float* fields = other.coupling_fields + first * kWidth;
    const float* rows = layer.rows + first * kWidth;
    VecF sums[N];
    for (int v = 0; v < N; ++v) sums[v] = load<VecF>(fields + v * kWidth);
    for (std::int64_t w = 0; w < words; ++w) {
      std::uint64_t flips;
      __builtin_memcpy(&flips, layer.flips + w * (kLanesPerWord / kBlock), sizeof flips);
      for (; flips != 0; flips &= flips - 1) {
        const std::int64_t spin = w * kLanesPerWord + __builtin_ctzll(flips);
        const VecF sign = splat(one_with_sign(layer.signs[spin]));
        const float* row = rows + spin * stride;
        for (int v = 0; v < N; ++v) sums[v] = add_exact(sums[v], sign, load<VecF>(row + v * kWidth));
      }
    }
    for (int v = 0; v < N; ++v) store(fields + v * kWidth, sums[v]);
  });
}

ISINGPROP_INLINE void half_sweep(const Layer& layer, const Layer& other, std::uint32_t* generator, float slope) {
  for (int lane = 0; lane < kBlock; lane += kWidth) {
    Generator random = Generator::read(generator + lane);
    flip_layer(layer, lane, [&](VecF gain) __attribute__((always_inline)) {
      return greater(lesser(slope * gain, VecF{}), log2_uniform(random.next()));
    });
    Generator::write(random, generator + lane);
  }
  follow_flips(layer, other);
}

bool any_flip(const Layer& layer) {
  std::uint32_t any = 0;
  for (std::int64_t block = 0; block < num_blocks(layer.num_spins); ++block) any |= layer.flips[block];
  return any != 0;
}

/// Turns over every spin that lowers the energy by it. Tells whether there was one.
bool descend_layer(const Layer& layer, const Layer& other) {
  for (int lane = 0; lane < kBlock; lane += kWidth) {
    flip_layer(layer, lane, [](VecF gain) __attribute__((always_inline)) { return greater(gain, VecF{}); });
  }
  follow_flips(layer, other);
  return any_flip(layer);
}

void seed_layer(const Layer& layer, std::uint32_t* generator) {
  for (int lane = 0; lane < kBlock; lane += kWidth) {
    Generator random = Generator::read(generator + lane);
    for (std::int64_t block = 0; block < num_blocks(layer.num_spins); ++block) {
      store(layer.signs + block * kBlock + lane, random.next() & 0x80000000u);
    }
    Generator::write(random, generator + lane);
  }
  for (std::int64_t spin = layer.num_spins; spin < padded(layer.num_spins); ++spin) layer.signs[spin] = 0;
}

/// k_i = sum_j J_ij t_j from scratch: as if all spins of the layer had been 0 and turned to +1 or -1 by half a flip.
void fields_from(const Layer& layer, const Layer& other) {
  const std::int64_t stride = padded(other.num_spins);
  for_tiles(stride / kWidth, [&]<int N>(std::int64_t first) {
    VecF sums[N] = {};
    for (std::int64_t spin = 0; spin < layer.num_spins; ++spin) {
      const VecF half = splat(0.5f * one_with_sign(layer.signs[spin]));
      const float* row = layer.rows + spin * stride + first * kWidth;
      for (int v = 0; v < N; ++v) sums[v] = add_exact(sums[v], half, load<VecF>(row + v * kWidth));
    }
    for (int v = 0; v < N; ++v) store(other.coupling_fields + (first + v) * kWidth, sums[v]);
  });
}

}  // namespace

/// Draws every spin +1 or -1 with equal probability.
void seed_signs(const Chain& chain) {
  seed_layer(chain.hidden, chain.generator);
  seed_layer(chain.output, chain.generator);
}

/// Fills in the coupling fields of both layers from the spins.
void compute_fields(const Chain& chain) {
  fields_from(chain.hidden, chain.output);
  fields_from(chain.output, chain.hidden);
}

/// One sweep (hidden, then output) for each slope = 2 beta / ln 2.
void anneal(const Chain& chain, const float* slopes, std::int64_t num_sweeps) {
  for (std::int64_t sweep = 0; sweep < num_sweeps; ++sweep) {
    half_sweep(chain.hidden, chain.output, chain.generator, slopes[sweep]);
    half_sweep(chain.output, chain.hidden, chain.generator, slopes[sweep]);
  }
}

/// Zero-temperature descent to a state that no single flip improves. It ends: each pass lowers the exact energy.
void descend(const Chain& chain) {
  descend_layer(chain.hidden, chain.output);
  while (descend_layer(chain.output, chain.hidden) && descend_layer(chain.hidden, chain.output)) {
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
