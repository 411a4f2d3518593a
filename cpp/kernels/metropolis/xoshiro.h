/// The random number generator of a chain: xoshiro128+, one generator per lane.
///
/// Lane l of every block of a layer uses generator l, whatever the width of the registers:
///
///     spin      0  1 ... 15  16 17 ... 31  32 ...
///     generator 0  1 ... 15   0  1 ... 15   0 ...
#pragma once

#include "simd/layout.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// A vector of xoshiro128+ generators (Blackman & Vigna 2021, doi:10.1145/3460772).
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
    const VecU result = a + d;
    const VecU old_a = a, old_b = b, mixed = d ^ b;

    a = xor3(a, d, b);
    b = xor3(b, c, old_a);
    c = xor3(c, old_a, old_b << 9);
    d = (mixed << 11) | (mixed >> 21);
    return result;
  }
};

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
