/// Arrays that begin at the start of a cache line, so that aligned vectors never cross one.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace isingprop {

/// Size of a cache line in bytes, and the width of the widest vector register.
inline constexpr std::size_t kCacheLine = 64;

struct FreeAligned {
  void operator()(void* p) const { ::operator delete[](p, std::align_val_t{kCacheLine}); }
};

template <class T>
using AlignedArray = std::unique_ptr<T[], FreeAligned>;

/// Returns an array of zeros.
template <class T>
AlignedArray<T> make_zeroed(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  return AlignedArray<T>(new (std::align_val_t{kCacheLine}) T[count]());
}

/// Returns an array whose contents are unspecified until they are written.
template <class T>
AlignedArray<T> make_uninitialized(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  return AlignedArray<T>(new (std::align_val_t{kCacheLine}) T[count]);
}

}  // namespace isingprop
