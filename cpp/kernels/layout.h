/// How spins and fields lie in memory, on every target alike.
///
/// A layer of n spins is stored in blocks of kBlock lanes, the last one padded. Lane l of every block draws from lane l
/// of the chain's random generator, so the bits of a run do not depend on how wide the processor's registers are.
///
///     n = 40  ->  3 blocks, 48 lanes:  [0 .. 15] [16 .. 31] [32 .. 39, 8 lanes of padding]
#pragma once

#include <cstdint>

namespace isingprop {

inline constexpr int kBlock = 16;
/// Words of random state of one chain: four for each lane (xoshiro128+).
inline constexpr int kGeneratorWords = 4 * kBlock;

inline constexpr std::int64_t num_blocks(std::int64_t num_spins) { return (num_spins + kBlock - 1) / kBlock; }
inline constexpr std::int64_t padded(std::int64_t num_spins) { return num_blocks(num_spins) * kBlock; }

}  // namespace isingprop
