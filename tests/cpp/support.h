/// What several tests need: random numbers that are the same everywhere, and one chain in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/aligned.h"
#include "core/generator.h"
#include "samplers/couplings.h"

namespace isingprop::test {

/// SplitMix64. The standard library's distributions differ between libraries; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t word() { return mix(state_ += kGoldenGamma); }
  /// In [low, high).
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(word() >> 11) * 0x1p-53; }
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
/// Below, at and above one block; one whole tile of vectors and a rest, at each width of register; and the
/// papers'.
inline constexpr Sizes kSizes[] = {{1, 1}, {3, 40}, {16, 16}, {17, 5}, {33, 129}, {130, 7}, {120, 40}};

/// Two arrays hold the same bits: -0 differs from 0, and NaN is NaN.
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// FNV-1a, 64 bits, of the bytes of an array.
template <class T>
std::uint64_t hash_of(const std::vector<T>& values) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  std::vector<unsigned char> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

/// Memory of one layer, as kernels/table.h wants it.
struct LayerMemory {
  std::int64_t num_spins;
  AlignedArray<float> own_fields, coupling_fields;
  AlignedArray<std::uint32_t> signs;
  AlignedArray<std::uint16_t> flips;

  LayerMemory(const std::vector<float>& fields, float padding)
      : num_spins(static_cast<std::int64_t>(fields.size())),
        own_fields(make_aligned<float>(size())),
        coupling_fields(make_aligned<float>(size())),
        signs(make_aligned<std::uint32_t>(size())),
        flips(make_aligned<std::uint16_t>(size() / kBlock + 4)) {  // whole 64-bit words
    std::fill_n(own_fields.get(), size(), padding);
    std::copy(fields.begin(), fields.end(), own_fields.get());
  }

  std::size_t size() const { return static_cast<std::size_t>(padded(num_spins)); }
  Layer view(const float* rows) const {
    return {num_spins, own_fields.get(), coupling_fields.get(), signs.get(), flips.get(), rows};
  }
  std::vector<std::int8_t> spins() const {
    std::vector<std::int8_t> values;
    for (std::int64_t i = 0; i < num_spins; ++i) values.push_back(signs[static_cast<std::size_t>(i)] ? -1 : 1);
    return values;
  }
  std::vector<float> fields() const { return {coupling_fields.get(), coupling_fields.get() + size()}; }
};

/// One chain that a table of kernels can work on.
struct ChainMemory {
  LayerMemory hidden, output;
  AlignedArray<std::uint32_t> generator = make_aligned<std::uint32_t>(kGeneratorWords);
  const CouplingGrid& grid;

  ChainMemory(const CouplingGrid& couplings, const std::vector<float>& hidden_fields,
              const std::vector<float>& output_fields, std::uint64_t seed)
      : hidden(hidden_fields, -1e30f), output(output_fields, -1e30f), grid(couplings) {
    seed_generator(seed, 0, 0, generator.get());
  }

  Chain view() const { return {hidden.view(grid.hidden_rows()), output.view(grid.output_rows()), generator.get()}; }
  std::vector<std::uint32_t> words() const { return {generator.get(), generator.get() + kGeneratorWords}; }
};

}  // namespace isingprop::test
