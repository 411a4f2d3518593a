/// Simulated annealing of one chain by event-driven block Metropolis updates.
///
/// Spins of one layer do not couple to each other, so given the other layer they are independent
/// and a whole layer is updated at once (a half-sweep). For E = sum h_i s_i + sum J_ij s_i t_j,
/// flipping spin i costs -2 s_i f_i with f_i = h_i + k_i, k_i = sum_j J_ij t_j, and it is done with
/// probability
///
///     kMove * min(1, exp(2 beta s_i f_i))
///
/// (Metropolis et al. 1953, doi:10.1063/1.1699114); kernels/acceptance.h has how. kMove < 1 keeps
/// the chain aperiodic: with 1, spins without a field would flip in lockstep for ever, and at beta
/// = 0 the state would only alternate with its mirror image. 63/64 costs 1.6 % in residual energy
/// after 100 sweeps of K_{120,40}; 15/16 would cost 7 %.
///
/// Few spins flip, so k is not recomputed but follows the flips: when t_j turns over, k_i += 2 J_ij
/// t_j (new t_j). A worked example, three hidden spins and one output spin t = +1 with J = (0.5,
/// -0.25, 1) and no other fields:
///
///     k_output = 0.5 s_0 - 0.25 s_1 + s_2
///     s = (+, +, +): k_output = 1.25; say s_2 flips:  k_output += 2 * 1 * (-1)  ->  -0.75
///
/// All J are multiples of one quantum (CouplingGrid), so each k is exact whatever the order: no
/// drift, and the same bits whether a target adds 4, 8 or 16 at a time or fuses multiply and add.
///
/// The random numbers of a half-sweep are drawn before the flips of the half-sweep before are
/// followed: they do not depend on them, and so fill the time in which the processor finds out how
/// many flips there are.
///
/// Work per half-sweep of n spins: n random numbers, and flips * (spins of the other layer)
/// additions.
#include "kernels/annealing/acceptance.h"
#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr int kVectorsPerWord = kFlipBits / kWidth;
/// As many sums as leave registers free.
constexpr int kMostVectors = kWidth == 16 ? 16 : 8;

/// One bit for each spin in the last word.
ISINGPROP_INLINE std::uint64_t last_bits(std::int64_t num_spins) {
  return ~std::uint64_t{0} >> (num_flip_words(num_spins) * kFlipBits - num_spins);
}

/// Draws random numbers for the next half-sweep of a layer (by value, so that no store changes it).
/// Lane l of the generator serves lane l of every block.
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

/// Which lanes of a vector flip, and which may: the quick test leaves open those that only may.
struct Judgement {
  Lanes flips, perhaps;
};

/// The same of a word of spins, a bit for each.
struct Verdict {
  std::uint64_t flips = 0, perhaps = 0;
};

/// Asks judge(at, s f) of vectors [first, first + count) of a layer and turns over the spins that
/// flip.
template <class Judge>
ISINGPROP_INLINE Verdict judge_vectors(const Layer& layer, std::int64_t first, int count,
                                       const Judge& judge) {
  Verdict word;
  for (int v = 0; v < count; ++v) {
    const std::int64_t at = (first + v) * kWidth;
    const VecU signs = load<VecU>(layer.signs + at);
    const VecF field = load<VecF>(layer.own_fields + at) + load<VecF>(layer.coupling_fields + at);
    const Judgement lanes =
        judge(at, reinterpret_cast<VecF>(reinterpret_cast<VecU>(field) ^ signs));
    store(layer.signs + at, flip_sign(signs, lanes.flips));
    word.flips |= std::uint64_t{bits(lanes.flips)} << (v * kWidth);
    word.perhaps |= std::uint64_t{bits(lanes.perhaps)} << (v * kWidth);
  }
  return word;
}

/// Puts right what the quick test left open in one word of spins; few words have any such spin.
__attribute__((noinline, cold)) std::uint64_t decide_exactly(const Layer& layer, std::int64_t word,
                                                             Verdict verdict, float slope) {
  for (std::uint64_t open = verdict.flips ^ verdict.perhaps; open != 0; open &= open - 1) {
    const int bit = __builtin_ctzll(open);
    const std::int64_t spin = word * kFlipBits + bit;
    const std::uint64_t mask = std::uint64_t{1} << bit;
    const std::uint32_t sign =
        layer.signs[spin] ^ (verdict.flips & mask ? kSignBit : 0u);  // as it was before
    const float field = layer.own_fields[spin] + layer.coupling_fields[spin];
    const double x = static_cast<double>(slope) * static_cast<double>(sign ? -field : field);
    const bool flips = accepts(layer.randoms[spin], x);
    layer.signs[spin] = flips ? sign ^ kSignBit : sign;
    verdict.flips = flips ? verdict.flips | mask : verdict.flips & ~mask;
  }
  return verdict.flips;
}

/// Turns over spins of one layer and notes them in layer.flips. By value, so that the compiler
/// knows that no store changes the layer. finish(word, verdict) gives the flips. Tells whether
/// there were any.
template <class Judge, class Finish>
ISINGPROP_INLINE bool flip_layer(Layer layer, const Judge& judge, const Finish& finish) {
  const std::int64_t vectors = padded(layer.num_spins) / kWidth;
  const std::int64_t last = num_flip_words(layer.num_spins) - 1;
  std::uint64_t any = 0;
  for (std::int64_t word = 0; word <= last; ++word) {
    const std::int64_t first = word * kVectorsPerWord;
    Verdict verdict = vectors - first >= kVectorsPerWord
                          ? judge_vectors(layer, first, kVectorsPerWord, judge)
                          : judge_vectors(layer, first, static_cast<int>(vectors - first), judge);
    if (word == last) {
      verdict.flips &= last_bits(layer.num_spins);
      verdict.perhaps &= last_bits(layer.num_spins);
    }
    layer.flips[word] = finish(word, verdict);
    any |= layer.flips[word];
  }
  return any != 0;
}

/// Where rows are short there is nothing to be won by keeping sums in registers from flip to flip.
void follow_sparse_flips(const Layer& layer, const Layer& other) {
  for (std::int64_t word = 0; word < num_flip_words(layer.num_spins); ++word) {
    for (std::uint64_t flips = layer.flips[word]; flips != 0; flips &= flips - 1) {
      const std::int64_t spin = word * kFlipBits + __builtin_ctzll(flips);
      const RowSpan span = layer.spans[spin];
      const VecF sign = one_with_sign(layer.signs[spin]);
      const float* row = layer.rows + span.offset;
      float* fields = other.coupling_fields + span.first * kBlock;
      for (std::int64_t at = 0; at < (span.last - span.first) * kBlock; at += kWidth) {
        store(fields + at, add_exact(load<VecF>(fields + at), sign, load<VecF>(row + at)));
      }
    }
  }
}

/// Lets the other layer's coupling fields follow the flips of this one.
ISINGPROP_INLINE void follow_flips(const Layer& layer, const Layer& other) {
  if (__builtin_expect(layer.spans != nullptr, 0)) return follow_sparse_flips(layer, other);
  const std::int64_t stride = padded(other.num_spins);
  const std::int64_t words = num_flip_words(layer.num_spins);
  for_tiles<kMostVectors>(
      stride / kWidth, [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
        float* fields = other.coupling_fields + first * kWidth;
        VecF sums[N];
        for (int v = 0; v < N; ++v) sums[v] = load<VecF>(fields + v * kWidth);
        for (std::int64_t word = 0; word < words; ++word) {
          const float* rows = layer.rows + word * kFlipBits * stride + first * kWidth;
          const std::uint32_t* signs = layer.signs + word * kFlipBits;
          for (std::uint64_t flips = layer.flips[word]; flips != 0; flips &= flips - 1) {
            const int spin = __builtin_ctzll(flips);
            const VecF sign = one_with_sign(signs[spin]);
            const float* row = rows + spin * stride;
            for (int v = 0; v < N; ++v)
              sums[v] = add_exact(sums[v], sign, load<VecF>(row + v * kWidth));
          }
        }
        for (int v = 0; v < N; ++v) store(fields + v * kWidth, sums[v]);
      });
}

/// The other layer's coupling fields from scratch: as if all spins of this one had been down and
/// some had flipped up.
void fields_from(const Layer& layer, const Layer& other) {
  for (std::int64_t at = 0; at < padded(other.num_spins); at += kWidth) {
    store(other.coupling_fields + at, load<VecF>(other.down_fields + at));
  }
  for (std::int64_t word = 0; word < num_flip_words(layer.num_spins); ++word) {
    std::uint64_t down = 0;
    for (int v = 0;
         v < kVectorsPerWord && word * kVectorsPerWord + v < padded(layer.num_spins) / kWidth;
         ++v) {
      const VecU signs = load<VecU>(layer.signs + word * kFlipBits + v * kWidth);
      down |= std::uint64_t{sign_bits(signs)} << (v * kWidth);
    }
    layer.flips[word] = ~down;
  }
  layer.flips[num_flip_words(layer.num_spins) - 1] &= last_bits(layer.num_spins);
  follow_flips(layer, other);
}

ISINGPROP_INLINE bool metropolis(const Layer& layer, float slope) {
  const VecF scaled = splat(slope * kUnit), surely = splat(kSurely), perhaps = splat(kPerhaps);
  const float* thresholds = layer.thresholds;
  return flip_layer(
      layer,
      [=](std::int64_t at, VecF gain) __attribute__((always_inline)) {
        const VecF bar = load<VecF>(thresholds + at);
        return Judgement{greater(near_sum(scaled, gain, surely), bar),
                         greater(near_sum(scaled, gain, perhaps), bar)};
      },
      [&](std::int64_t word, const Verdict& verdict) __attribute__((always_inline)) {
        if (__builtin_expect(verdict.flips == verdict.perhaps, 1)) return verdict.flips;
        return decide_exactly(layer, word, verdict, slope);
      });
}

/// Turns over every spin that lowers the energy by it. Tells whether there was one.
bool descend_layer(const Layer& layer, const Layer& other) {
  const bool any = flip_layer(
      layer,
      [](std::int64_t, VecF gain) __attribute__((always_inline)) {
        const Lanes gains = greater(gain, VecF{});
        return Judgement{gains, gains};
      },
      [](std::int64_t, const Verdict& verdict)
          __attribute__((always_inline)) { return verdict.flips; });
  if (any) follow_flips(layer, other);
  return any;
}

void seed_layer(const Layer& layer, std::uint32_t* generator) {
  for (int lane = 0; lane < kBlock; lane += kWidth) {
    Generator random = Generator::read(generator + lane);
    for (std::int64_t at = lane; at < padded(layer.num_spins); at += kBlock) {
      store(layer.signs + at, random.next() & kSignBit);
    }
    Generator::write(random, generator + lane);
  }
  for (std::int64_t spin = layer.num_spins; spin < padded(layer.num_spins); ++spin)
    layer.signs[spin] = 0;
}

}  // namespace

/// Draws every spin +1 or -1 with equal probability.
void seed_signs(const Chain& chain) {
  seed_layer(chain.hidden, chain.generator);
  seed_layer(chain.output, chain.generator);
}

/// Sweeps (hidden, then output) at each slope = 2 beta / ln 2, at least one. Needs the coupling
/// fields of both layers, or, where `begins`, the spins alone, and leaves the fields right.
void anneal(const Chain& chain, const float* slopes, std::int64_t num_sweeps, bool begins) {
  const Layer &hidden = chain.hidden, &output = chain.output;
  Generator generators[kParts];
  for (int part = 0; part < kParts; ++part)
    generators[part] = Generator::read(chain.generator + part * kWidth);
  draw(hidden, generators);
  if (begins) fields_from(output, hidden);
  for (std::int64_t sweep = 0; sweep < num_sweeps; ++sweep) {
    const bool hidden_flipped = metropolis(hidden, slopes[sweep]);
    draw(output, generators);
    if (begins && sweep == 0) {
      fields_from(hidden, output);  // only now: the first flips are many
    } else if (hidden_flipped) {
      follow_flips(hidden, output);
    }
    const bool output_flipped = metropolis(output, slopes[sweep]);
    if (sweep + 1 < num_sweeps) draw(hidden, generators);
    if (output_flipped) follow_flips(output, hidden);
  }
  for (int part = 0; part < kParts; ++part)
    Generator::write(generators[part], chain.generator + part * kWidth);
}

/// Zero-temperature descent to a state that no single flip improves, from one that anneal() left.
/// It ends: each pass lowers the exact energy.
void descend(const Chain& chain) {
  descend_layer(chain.hidden, chain.output);
  while (descend_layer(chain.output, chain.hidden) && descend_layer(chain.hidden, chain.output)) {
  }
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
