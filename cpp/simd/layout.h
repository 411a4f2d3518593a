/// The layout of spins and fields in memory, which is the same on every target.
///
/// A layer of n spins is stored in blocks of kBlock lanes, the last one padded:
///
///     n = 40  ->  3 blocks, 48 lanes:  [0 .. 15] [16 .. 31] [32 .. 39, 8 lanes of padding]
///
/// A block is one AVX-512 register of floats, two AVX2 registers or four SSE2 registers. Whatever
/// depends on the position of a spin, such as the random generator that it uses or the partial sum
/// that it is added to, depends on its lane within the block. The bits of a run therefore do not
/// depend on the width of the registers.
#pragma once

#include <cstdint>

namespace isingprop {

/// Lanes of a block: floats in the widest vector register.
inline constexpr int kBlock = 16;

/// Returns a count rounded up to whole blocks. Masks instead of dividing, because the compiler does
/// not know that a count is never negative.
inline constexpr std::int64_t padded(std::int64_t count) { return (count + kBlock - 1) & -kBlock; }

/// A spin is stored as the sign bit of a float: 0 for +1, and this bit for -1.
inline constexpr std::uint32_t kSignBit = 0x80000000u;

}  // namespace isingprop
