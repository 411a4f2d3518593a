/// Permutations of the lanes of a vector that are known at compile time.
///
///     v = [0 1 2 3]:   Partner<1>  ->  [1 0 3 2]     Partner<2>  ->  [2 3 0 1]
///                      Doubled<0>  ->  [0 0 1 1]     Doubled<2>  ->  [2 2 3 3]
#pragma once

#include <utility>

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Takes lane l from lane l ^ Bits.
template <int Bits>
struct Partner {
  static constexpr int lane(int l) { return l ^ Bits; }
};

/// Takes each lane twice, from lane First on.
template <int First>
struct Doubled {
  static constexpr int lane(int l) { return First + l / 2; }
};

template <class Permutation, class V, int... Lane>
ISINGPROP_INLINE V permuted(V v, std::integer_sequence<int, Lane...>) {
#if defined(__clang__)
  return __builtin_shufflevector(v, v, Permutation::lane(Lane)...);
#else
  constexpr bool kIsDouble = sizeof(v[0]) == sizeof(double);
  if constexpr (kIsDouble) {
    return __builtin_shuffle(v, VecL{Permutation::lane(Lane)...});
  } else {
    return __builtin_shuffle(v, VecI{Permutation::lane(Lane)...});
  }
#endif
}

/// Returns the vector whose lane l is lane Permutation::lane(l) of v.
template <class Real, class Permutation>
ISINGPROP_INLINE typename Wide<Real>::Vec permuted(typename Wide<Real>::Vec v) {
  return permuted<Permutation>(v, std::make_integer_sequence<int, Wide<Real>::kLanes>());
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop
