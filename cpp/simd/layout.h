/// How spins and fields lie in memory, on every target alike.
///
/// A layer of n spins is stored in blocks of kBlock lanes, the last one padded. Lane l of every
/// block draws from lane l of the chain's random generator, so the bits of a run do not depend on
/// how wide the processor's registers are.
///
///     n = 40  ->  3 blocks, 48 lanes:  [0 .. 15] [16 .. 31] [32 .. 39, 8 lanes of padding]
#pragma once

#include <cstdint>

/// Never a function of its own, of which the linker might keep the copy of another target.
#define ISINGPROP_INLINE static inline __attribute__((always_inline))

namespace isingprop {

inline constexpr int kBlock = 16;
/// Words of random state of one chain: four for each lane (xoshiro128+).
inline constexpr int kGeneratorWords = 4 * kBlock;

/// To whole blocks. & and not /, since the compiler does not know that a count is not negative.
inline constexpr std::int64_t padded(std::int64_t num_spins) {
  return (num_spins + kBlock - 1) & -kBlock;
}

/// Which spins flipped is noted in words of so many bits.
inline constexpr int kFlipBits = 64;
inline constexpr std::int64_t num_flip_words(std::int64_t num_spins) {
  return (num_spins + kFlipBits - 1) / kFlipBits;
}

/// Room for the numbers of the pixels that are not zero, which are written a vector at a time.
inline constexpr std::int64_t lit_room(std::int64_t num_inputs) { return num_inputs + kBlock; }

/// Rows that are multiplied by the same columns before the next columns' turn, so that these stay
/// in the cache.
inline constexpr std::int64_t kRowsAtOnce = 64;

/// A spin is held as the sign bit of a float: 0 for +1, this for -1.
inline constexpr std::uint32_t kSignBit = 0x80000000u;

}  // namespace isingprop
