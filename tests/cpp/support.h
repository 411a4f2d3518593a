/// What several tests need: random numbers that are the same everywhere, and one chain in memory.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "chains/coupling_grid.h"
#include "kernels/annealing/random_stream.h"
#include "targets/dispatch.h"
#include "util/aligned.h"

namespace isingprop::test {

/// SplitMix64. The standard library's distributions differ between libraries; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t word() { return mix(state_ += kGoldenGamma); }
  /// In [low, high).
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
/// Below, at and above one block; one whole tile of vectors and a rest, at each width of register;
/// below, at and above one and two words of flips; and the papers'.
inline constexpr Sizes kSizes[] = {{1, 1},   {3, 40},  {16, 16},  {17, 5},   {33, 129}, {130, 7},
                                   {64, 65}, {80, 63}, {128, 48}, {120, 40}, {200, 300}};

/// Two arrays hold the same bits: -0 differs from 0, and NaN is NaN.
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
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

/// Memory of one layer, as kernels/table.h wants it. What a kernel may not read before it writes is
/// full of rubbish.
struct LayerMemory {
  std::int64_t num_spins;
  AlignedArray<float> own_fields, coupling_fields, thresholds;
  AlignedArray<std::uint32_t> randoms, signs;
  AlignedArray<std::uint64_t> flips;

  explicit LayerMemory(const std::vector<float>& fields)
      : num_spins(static_cast<std::int64_t>(fields.size())),
        own_fields(make_aligned<float>(size())),
        coupling_fields(make_aligned<float>(size())),
        thresholds(make_aligned<float>(size())),
        randoms(make_aligned<std::uint32_t>(size())),
        signs(make_aligned<std::uint32_t>(size())),
        flips(make_aligned<std::uint64_t>(num_words())) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(own_fields.get(), size(), -1e30f);
    std::copy(fields.begin(), fields.end(), own_fields.get());
    std::fill_n(coupling_fields.get(), size(), kNan);
    std::fill_n(thresholds.get(), size(), kNan);
    std::fill_n(randoms.get(), size(), ~0u);
    std::fill_n(signs.get(), size(), kSignBit);
    std::fill_n(flips.get(), num_words(), ~std::uint64_t{0});
  }

  std::size_t size() const { return static_cast<std::size_t>(padded(num_spins)); }
  std::size_t num_words() const { return static_cast<std::size_t>(num_flip_words(num_spins)); }
  Layer view(const float* rows, const RowSpan* spans, const float* down_fields) const {
    return {
        num_spins,        own_fields.get(), down_fields, rows,       spans, coupling_fields.get(),
        thresholds.get(), randoms.get(),    signs.get(), flips.get()};
  }
  void set_spins(const std::vector<std::int8_t>& spins) {
    for (std::size_t i = 0; i < spins.size(); ++i) signs[i] = spins[i] < 0 ? kSignBit : 0;
  }
  std::vector<std::int8_t> spins() const {
    std::vector<std::int8_t> values;
    for (std::int64_t i = 0; i < num_spins; ++i)
      values.push_back(signs[static_cast<std::size_t>(i)] ? -1 : 1);
    return values;
  }
  std::vector<float> fields() const {
    return {coupling_fields.get(), coupling_fields.get() + size()};
  }
};

/// Rows of a grid whole, (num_rows, stride), zeros where a span leaves out.
inline std::vector<float> whole_rows(const float* rows, const RowSpan* spans, std::int64_t num_rows,
                                     std::int64_t stride) {
  if (spans == nullptr) return {rows, rows + num_rows * stride};
  std::vector<float> whole(static_cast<std::size_t>(num_rows * stride));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const RowSpan& span = spans[row];
    std::copy_n(rows + span.offset, (span.last - span.first) * kBlock,
                whole.begin() + row * stride + span.first * kBlock);
  }
  return whole;
}
inline std::vector<float> hidden_rows(const CouplingGrid& grid, Sizes sizes) {
  return whole_rows(grid.hidden_rows(), grid.hidden_spans(), sizes.num_hidden,
                    padded(sizes.num_output));
}
inline std::vector<float> output_rows(const CouplingGrid& grid, Sizes sizes) {
  return whole_rows(grid.output_rows(), grid.output_spans(), sizes.num_output,
                    padded(sizes.num_hidden));
}

/// J on the grid, (num_hidden, num_output).
inline std::vector<float> grid_couplings(const CouplingGrid& grid, Sizes sizes) {
  std::vector<float> couplings;
  const std::vector<float> rows = hidden_rows(grid, sizes);
  for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
    const float* row = rows.data() + i * padded(sizes.num_output);
    for (std::int64_t a = 0; a < sizes.num_output; ++a) couplings.push_back(row[a] / 2.0f);
  }
  return couplings;
}

/// One chain that a table of kernels can work on.
struct ChainMemory {
  LayerMemory hidden, output;
  AlignedArray<std::uint32_t> generator = make_aligned<std::uint32_t>(kGeneratorWords);
  const CouplingGrid& grid;

  ChainMemory(const CouplingGrid& couplings, const std::vector<float>& hidden_fields,
              const std::vector<float>& output_fields, std::uint64_t seed)
      : hidden(hidden_fields), output(output_fields), grid(couplings) {
    seed_generator(stream_key(seed, 0, 0), generator.get());
  }

  Chain view() const {
    return {hidden.view(grid.hidden_rows(), grid.hidden_spans(), grid.hidden_down()),
            output.view(grid.output_rows(), grid.output_spans(), grid.output_down()),
            generator.get()};
  }
  std::vector<std::uint32_t> words() const {
    return {generator.get(), generator.get() + kGeneratorWords};
  }
};

}  // namespace isingprop::test
