/// Arrays aligned to cache lines.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace isingprop {

inline constexpr std::size_t kCacheLine = 64;

struct FreeAligned {
  void operator()(void* p) const { ::operator delete[](p, std::align_val_t{kCacheLine}); }
};

template <class T>
using AlignedArray = std::unique_ptr<T[], FreeAligned>;

/// Zeros.
template <class T>
AlignedArray<T> make_aligned(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  return AlignedArray<T>(new (std::align_val_t{kCacheLine}) T[count]());
}

/// Whatever the memory holds.
template <class T>
AlignedArray<T> make_unset(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  return AlignedArray<T>(new (std::align_val_t{kCacheLine}) T[count]);
}

}  // namespace isingprop
