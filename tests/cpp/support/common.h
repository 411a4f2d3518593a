/// Random numbers that are the same on every machine, sizes of problems, and comparisons of arrays.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/metropolis/random_stream.h"
#include "targets/dispatch.h"
#include "util/interrupt.h"

namespace isingprop::test {

/// SplitMix64. The distributions of the standard library differ between libraries; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t word() { return mix(state_ += kGoldenGamma); }

  /// Returns a number in [low, high).
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(word() >> 11) * 0x1p-53;
  }

  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(word() % static_cast<std::uint64_t>(bound));
  }

  template <class Real>
  std::vector<Real> reals(std::int64_t count, double low, double high) {
    std::vector<Real> values(static_cast<std::size_t>(count));
    for (Real& value : values) value = static_cast<Real>(uniform(low, high));
    return values;
  }

  std::vector<std::int8_t> spins(std::int64_t count) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(count));
    for (std::int8_t& value : values) value = word() >> 63 == 0 ? 1 : -1;
    return values;
  }

 private:
  std::uint64_t state_;
};

struct Sizes {
  std::int64_t num_hidden, num_output;
};

/// Sizes below, at and above one block; at one whole tile of vectors and above it, for each width
/// of registers; below, at and above one and two words of flips; and those of the papers.
inline constexpr Sizes kSizes[] = {{1, 1},   {3, 40},  {16, 16},  {17, 5},   {33, 129}, {130, 7},
                                   {64, 65}, {80, 63}, {128, 48}, {120, 40}, {200, 300}};

inline std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Returns whether two arrays hold the same bits: -0 differs from 0, and NaN equals itself.
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Returns the 64-bit FNV-1a hash of the bytes of an array.
template <class T>
std::uint64_t hash_of(const std::vector<T>& values) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  std::vector<unsigned char> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

/// Returns an interrupt that nobody requests.
inline Interrupt never() {
  return Interrupt([] { return false; });
}

/// Calls work() with each table of kernels in use.
template <class Work>
void on_every_table(const Work& work) {
  const std::string before = kernels().name;
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    select_kernels(table->name);
    work();
  }
  select_kernels(before);
}

}  // namespace isingprop::test
