/// Flips of one layer, and the fields of the other layer that follow them.
///
/// Few spins flip in a half-sweep, so the coupling fields k_i = sum_j J_ij t_j of the other layer
/// are not recomputed but updated: when t_j flips, k_i += 2 J_ij t_j with the new t_j. The spins
/// that flipped are marked by bits, 64 to a word. A worked example with three hidden spins, one
/// output spin t = +1, J = (0.5, -0.25, 1) and no own fields:
///
///     k_output = 0.5 s_0 - 0.25 s_1 + s_2
///
///     s = (+, +, +)   k_output = 1.25
///     s_2 flips:      flips[0] = 0b100,  s = (+, +, -),  k_output += 2 * 1 * (-1)  ->  -0.75
///
/// All J are multiples of one quantum (see CouplingGrid), so that each k is exact whatever the
/// order of the additions. There is no drift, and the bits are the same whether a target adds 4, 8
/// or 16 numbers at a time and whether or not it fuses multiplication and addition.
#pragma once

#include "kernels/annealing/chain.h"
#include "simd/lanes.h"
#include "simd/load.h"
#include "simd/tiles.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Vectors of spins whose flips fill one word of bits.
constexpr int kVectorsPerWord = kFlipBits / kWidth;
/// Running sums of fields in registers; the rest of the registers stay free.
constexpr int kFieldVectors = kWidth == 16 ? 16 : 8;

/// Returns the bits of the last word that stand for spins: not for padding.
ISINGPROP_INLINE std::uint64_t last_bits(std::int64_t num_spins) {
  return ~std::uint64_t{0} >> (num_flip_words(num_spins) * kFlipBits - num_spins);
}

/// The lanes of a vector that certainly flip, and those that possibly flip, which include them.
struct LaneFlips {
  Lanes certain, possible;
};

/// The same for a word of spins, one bit each.
struct WordFlips {
  std::uint64_t certain = 0, possible = 0;
};

/// Calls test(at, s_i f_i) for vectors [first, first + count) of a layer, and flips the spins that
/// certainly flip.
template <class Test>
ISINGPROP_INLINE WordFlips flip_vectors(const Layer& layer, std::int64_t first, int count,
                                        const Test& test) {
  WordFlips word;
  for (int v = 0; v < count; ++v) {
    const std::int64_t at = (first + v) * kWidth;
    const VecU signs = load<VecU>(layer.signs + at);
    const VecF field = load<VecF>(layer.own_fields + at) + load<VecF>(layer.coupling_fields + at);

    const LaneFlips lanes = test(at, reinterpret_cast<VecF>(reinterpret_cast<VecU>(field) ^ signs));

    store(layer.signs + at, flip_sign(signs, lanes.certain));
    word.certain |= std::uint64_t{bits(lanes.certain)} << (v * kWidth);
    word.possible |= std::uint64_t{bits(lanes.possible)} << (v * kWidth);
  }
  return word;
}

/// Flips spins of one layer, marks them in layer.flips, and returns whether any spin flipped.
///
/// finish(word, flips) returns the final flips of a word. The layer is passed by value, so that the
/// compiler knows that no store changes its pointers.
template <class Test, class Finish>
ISINGPROP_INLINE bool flip_layer(Layer layer, const Test& test, const Finish& finish) {
  const std::int64_t vectors = padded(layer.num_spins) / kWidth;
  const std::int64_t last = num_flip_words(layer.num_spins) - 1;
  std::uint64_t any = 0;

  for (std::int64_t word = 0; word <= last; ++word) {
    const std::int64_t first = word * kVectorsPerWord;
    WordFlips flips = vectors - first >= kVectorsPerWord
                          ? flip_vectors(layer, first, kVectorsPerWord, test)
                          : flip_vectors(layer, first, static_cast<int>(vectors - first), test);
    if (word == last) {
      flips.certain &= last_bits(layer.num_spins);
      flips.possible &= last_bits(layer.num_spins);
    }
    layer.flips[word] = finish(word, flips);
    any |= layer.flips[word];
  }
  return any != 0;
}

/// Works like follow_flips(), for rows of which only a span is stored. Such rows are short, so that
/// keeping sums in registers from one flip to the next would gain nothing.
static void follow_sparse_flips(const Layer& layer, const Layer& other) {
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

/// Updates the coupling fields of the other layer after the flips of this one.
ISINGPROP_INLINE void follow_flips(const Layer& layer, const Layer& other) {
  if (__builtin_expect(layer.spans != nullptr, 0)) return follow_sparse_flips(layer, other);

  const std::int64_t stride = padded(other.num_spins);
  const std::int64_t words = num_flip_words(layer.num_spins);
  const auto tile = [&]<int N>(std::int64_t first) __attribute__((always_inline)) {
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
        for (int v = 0; v < N; ++v) {
          sums[v] = add_exact(sums[v], sign, load<VecF>(row + v * kWidth));
        }
      }
    }

    for (int v = 0; v < N; ++v) store(fields + v * kWidth, sums[v]);
  };
  for_tiles<kFieldVectors>(stride / kWidth, tile);
}

/// Computes the coupling fields of the other layer from this layer's spins alone: as if all its
/// spins had been -1 and those that are +1 had just flipped.
static void fields_from(const Layer& layer, const Layer& other) {
  for (std::int64_t at = 0; at < padded(other.num_spins); at += kWidth) {
    store(other.coupling_fields + at, load<VecF>(other.down_fields + at));
  }

  const std::int64_t num_vectors = padded(layer.num_spins) / kWidth;
  for (std::int64_t word = 0; word < num_flip_words(layer.num_spins); ++word) {
    const std::int64_t first = word * kVectorsPerWord;
    std::uint64_t down = 0;
    for (int v = 0; v < kVectorsPerWord && first + v < num_vectors; ++v) {
      const VecU signs = load<VecU>(layer.signs + (first + v) * kWidth);
      down |= std::uint64_t{sign_bits(signs)} << (v * kWidth);
    }
    layer.flips[word] = ~down;
  }
  layer.flips[num_flip_words(layer.num_spins) - 1] &= last_bits(layer.num_spins);

  follow_flips(layer, other);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
