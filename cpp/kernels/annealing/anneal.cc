/// Simulated annealing of one chain by Metropolis updates of whole layers.
///
/// Spins of one layer do not couple to each other, so that given the other layer they are
/// independent and a whole layer is updated at once (a half-sweep). For E = sum h_i s_i + sum J_ij
/// s_i t_j, flipping spin i costs -2 s_i f_i, where f_i = h_i + k_i and k_i = sum_j J_ij t_j. The
/// spin flips with probability
///
///     kMove * min(1, exp(2 beta s_i f_i)),   kMove = 63/64
///
/// (Metropolis et al. 1953, doi:10.1063/1.1699114). kMove < 1 keeps the chain aperiodic: with 1,
/// spins without a field would flip in lockstep for ever, and at beta = 0 the state would only
/// alternate with its mirror image. 63/64 costs 1.6 % in residual energy after 100 sweeps of a
/// 120 x 40 network; 15/16 would cost 7 %.
///
/// One half-sweep of n hidden spins:
///
///     1. draw      n random numbers r_i and their thresholds              (acceptance.h)
///     2. compare   slope * s_i f_i with the thresholds, flip and mark     (flip_layer in flips.h)
///     3. follow    k_j of the outputs += 2 J_ij s_i for the spins marked  (follow_flips in
///     flips.h)
///
/// Step 1 of the next half-sweep comes before step 3 of this one. It does not depend on the flips,
/// and so it fills the time in which the processor finds out how many there are.
///
/// Work per half-sweep: n random numbers, and (number of flips) * (spins of the other layer)
/// additions. Requires, unchecked: spins that are -1 or +1, slopes >= 0, and arrays that do not
/// overlap. The bits are the same on every target.
#include "kernels/annealing/chain.h"
#include "kernels/annealing/flips.h"
#include "kernels/metropolis/acceptance.h"
#include "kernels/metropolis/xoshiro.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Draws the random numbers of the next half-sweep of a layer. The layer is passed by value, so
/// that the compiler knows that no store changes its pointers.
ISINGPROP_INLINE void draw(Layer layer, Generator* generators) {
  for (int part = 0; part < kParts; ++part) {
    Generator generator = generators[part];
    ISINGPROP_UNROLL_4
    for (std::int64_t at = part * kWidth, end = padded(layer.num_spins); at < end; at += kBlock) {
      const VecU r = generator.next();
      store(layer.randoms + at, r);
      store(layer.thresholds + at, threshold(r));
    }
    generators[part] = generator;
  }
}

/// Returns the slope of a spin, or of a vector of spins, whose gain is `gain`.
ISINGPROP_INLINE float slope_with(float slope, float gain) {
  return slope * gain < kLargestSlope ? slope * gain : kLargestSlope;
}
ISINGPROP_INLINE VecF slope_with(float slope, VecF gain) {
  const VecF product = slope * gain, largest = splat(kLargestSlope);
  return product < largest ? product : largest;
}

/// Returns the flips of one word after deciding the spins that only possibly flip by the exact
/// rule. Few words have any such spin.
__attribute__((noinline, cold)) std::uint64_t decide_exactly(const Layer& layer, std::int64_t word,
                                                             WordFlips flips, float slope) {
  for (std::uint64_t open = flips.certain ^ flips.possible; open != 0; open &= open - 1) {
    const int bit = __builtin_ctzll(open);
    const std::int64_t spin = word * kFlipBits + bit;
    const std::uint64_t mask = std::uint64_t{1} << bit;

    // The sign before the fast test, which may have flipped the spin.
    const std::uint32_t sign = layer.signs[spin] ^ (flips.certain & mask ? kSignBit : 0u);
    const float field = layer.own_fields[spin] + layer.coupling_fields[spin];
    const float own_slope = layer.gains == nullptr ? slope : slope_with(slope, layer.gains[spin]);
    const double x = static_cast<double>(own_slope) * static_cast<double>(sign ? -field : field);

    const bool flips_now = accepts(layer.randoms[spin], x);
    layer.signs[spin] = flips_now ? sign ^ kSignBit : sign;
    flips.certain = flips_now ? flips.certain | mask : flips.certain & ~mask;
  }
  return flips.certain;
}

/// Flips the spins of one layer by Metropolis's rule, and returns whether any spin flipped.
template <bool kHasGains>
ISINGPROP_INLINE bool metropolis(const Layer& layer, float slope) {
  const VecF scaled = splat(slope * kUnit), certain = splat(kCertain), possible = splat(kPossible);
  const float *thresholds = layer.thresholds, *gains = layer.gains;

  const auto test = [=](std::int64_t at, VecF lowering) __attribute__((always_inline)) {
    const VecF bar = load<VecF>(thresholds + at);
    VecF factor = scaled;
    if constexpr (kHasGains) factor = kUnit * slope_with(slope, load<VecF>(gains + at));
    return LaneFlips{greater(approximate_fma(factor, lowering, certain), bar),
                     greater(approximate_fma(factor, lowering, possible), bar)};
  };
  const auto finish = [&](std::int64_t word, const WordFlips& flips)
                          __attribute__((always_inline)) {
                            if (__builtin_expect(flips.certain == flips.possible, 1))
                              return flips.certain;
                            return decide_exactly(layer, word, flips, slope);
                          };

  return flip_layer(layer, test, finish);
}

template <bool kHasGains>
ISINGPROP_INLINE void anneal_chain(const Chain& chain, const float* slopes, std::int64_t num_sweeps,
                                   bool begins) {
  const Layer &hidden = chain.hidden, &output = chain.output;
  Generator generators[kParts];
  for (int part = 0; part < kParts; ++part) {
    generators[part] = Generator::read(chain.generator + part * kWidth);
  }

  draw(hidden, generators);
  if (begins) fields_from(output, hidden);
  for (std::int64_t sweep = 0; sweep < num_sweeps; ++sweep) {
    const bool hidden_flipped = metropolis<kHasGains>(hidden, slopes[sweep]);
    draw(output, generators);
    if (begins && sweep == 0) {
      // The fields of the outputs are computed only now, because the first flips are many.
      fields_from(hidden, output);
    } else if (hidden_flipped) {
      follow_flips(hidden, output);
    }

    const bool output_flipped = metropolis<kHasGains>(output, slopes[sweep]);
    if (sweep + 1 < num_sweeps) draw(hidden, generators);
    if (output_flipped) follow_flips(output, hidden);
  }

  for (int part = 0; part < kParts; ++part) {
    Generator::write(generators[part], chain.generator + part * kWidth);
  }
}

}  // namespace

/// Sweeps (hidden layer, then output layer) once at each of num_sweeps >= 1 slopes = 2 beta / ln 2.
///
/// Needs the coupling fields of both layers, or the spins alone if `begins`, and leaves both right.
void anneal(const Chain& chain, const float* slopes, std::int64_t num_sweeps, bool begins) {
  if (chain.hidden.gains == nullptr) {
    anneal_chain<false>(chain, slopes, num_sweeps, begins);
  } else {
    anneal_chain<true>(chain, slopes, num_sweeps, begins);
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
