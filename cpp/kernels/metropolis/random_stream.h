/// Seeds of the random numbers of a chain: a stream named by (seed, stream, read), which is the
/// same on every machine.
#pragma once

#include <cstdint>

#include "simd/layout.h"

namespace isingprop {

/// Words of random state of one chain: four for each lane (xoshiro128+).
inline constexpr int kGeneratorWords = 4 * kBlock;

/// SplitMix64's output function (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195).
inline std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// SplitMix64's increment.
inline constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15u;

/// Returns a key that depends on `key`, on `number` and on their order: (1, 2) and (2, 1) differ.
inline std::uint64_t fold(std::uint64_t key, std::uint64_t number) {
  return mix((key + kGoldenGamma) ^ mix(number));
}

/// Returns the key of the stream of one read. A read that needs several streams folds the number of
/// each into this key.
inline std::uint64_t stream_key(std::uint64_t seed, std::uint64_t stream, std::uint64_t read) {
  return fold(fold(mix(seed), stream), read);
}

/// Fills an even number of words of xoshiro128+ state from SplitMix64, as its authors advise.
inline void seed_generator(std::uint64_t key, std::uint32_t* words, int count = kGeneratorWords) {
  for (int k = 0; k < count; k += 2) {
    const std::uint64_t z = mix(key += kGoldenGamma);
    words[k] = static_cast<std::uint32_t>(z);
    words[k + 1] = static_cast<std::uint32_t>(z >> 32);
  }
}

}  // namespace isingprop
