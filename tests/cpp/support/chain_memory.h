/// One chain in memory that a table of kernels can work on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "chains/coupling_grid.h"
#include "kernels/metropolis/random_stream.h"
#include "support/common.h"
#include "support/make_grid.h"
#include "support/scalar_chain.h"
#include "util/aligned.h"

namespace isingprop::test {

/// Memory of one layer. What a kernel must write before it reads is filled with invalid values.
struct LayerMemory {
  std::int64_t num_spins;
  AlignedArray<float> own_fields, coupling_fields, thresholds;
  AlignedArray<std::uint32_t> randoms, signs;
  AlignedArray<std::uint64_t> flips;
  AlignedArray<float> gains, tolerances;  ///< null until they are set

  explicit LayerMemory(const std::vector<float>& fields)
      : num_spins(static_cast<std::int64_t>(fields.size())),
        own_fields(make_zeroed<float>(padded_size())),
        coupling_fields(make_zeroed<float>(padded_size())),
        thresholds(make_zeroed<float>(padded_size())),
        randoms(make_zeroed<std::uint32_t>(padded_size())),
        signs(make_zeroed<std::uint32_t>(padded_size())),
        flips(make_zeroed<std::uint64_t>(num_words())) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(own_fields.get(), padded_size(), -1e30f);
    std::copy(fields.begin(), fields.end(), own_fields.get());
    std::fill_n(coupling_fields.get(), padded_size(), kNan);
    std::fill_n(thresholds.get(), padded_size(), kNan);
    std::fill_n(randoms.get(), padded_size(), ~0u);
    std::fill_n(signs.get(), padded_size(), kSignBit);
    std::fill_n(flips.get(), num_words(), ~std::uint64_t{0});
  }

  std::size_t padded_size() const { return size(padded(num_spins)); }
  std::size_t num_words() const { return size(num_flip_words(num_spins)); }

  Layer view(const float* rows, const RowSpan* spans, const float* down_fields) const {
    return {.num_spins = num_spins,
            .own_fields = own_fields.get(),
            .down_fields = down_fields,
            .rows = rows,
            .spans = spans,
            .coupling_fields = coupling_fields.get(),
            .thresholds = thresholds.get(),
            .randoms = randoms.get(),
            .signs = signs.get(),
            .flips = flips.get(),
            .gains = gains.get(),
            .tolerances = tolerances.get()};
  }

  void set_gains(const std::vector<float>& values) { gains = with_padding(values, 1.0f); }
  void set_tolerances(const std::vector<float>& values) { tolerances = with_padding(values, 0.0f); }
  AlignedArray<float> with_padding(const std::vector<float>& values, float rest) const {
    AlignedArray<float> all = make_zeroed<float>(padded_size());
    std::fill_n(all.get(), padded_size(), rest);
    std::copy(values.begin(), values.end(), all.get());
    return all;
  }

  void set_spins(const std::vector<std::int8_t>& spins) {
    for (std::size_t i = 0; i < spins.size(); ++i) signs[i] = spins[i] < 0 ? kSignBit : 0;
  }

  std::vector<std::int8_t> spins() const {
    std::vector<std::int8_t> values;
    for (std::int64_t i = 0; i < num_spins; ++i) values.push_back(signs[size(i)] ? -1 : 1);
    return values;
  }

  std::vector<float> fields() const {
    return {coupling_fields.get(), coupling_fields.get() + padded_size()};
  }
};

/// Returns rows of a grid as whole rows (num_rows, stride), with zeros outside the spans.
inline std::vector<float> whole_rows(const float* rows, const RowSpan* spans, std::int64_t num_rows,
                                     std::int64_t stride) {
  if (spans == nullptr) return {rows, rows + num_rows * stride};
  std::vector<float> whole(size(num_rows * stride));
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

/// Returns J on the grid, (num_hidden, num_output), in the units of the outputs.
inline std::vector<float> grid_couplings(const CouplingGrid& grid, Sizes sizes) {
  std::vector<float> couplings;
  const std::vector<float> rows = hidden_rows(grid, sizes);
  for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
    const float* row = rows.data() + i * padded(sizes.num_output);
    for (std::int64_t a = 0; a < sizes.num_output; ++a) couplings.push_back(row[a] / 2.0f);
  }
  return couplings;
}

/// Returns J on the grid, (num_hidden, num_output), in the units of the hidden spins.
inline std::vector<float> hidden_couplings(const CouplingGrid& grid, Sizes sizes) {
  std::vector<float> couplings;
  const std::vector<float> columns = output_rows(grid, sizes);
  for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
    for (std::int64_t a = 0; a < sizes.num_output; ++a) {
      couplings.push_back(columns[size(a * padded(sizes.num_hidden) + i)] / 2.0f);
    }
  }
  return couplings;
}

/// Returns the scalar twin of a chain on a grid, with fields in the units of the grid.
inline ScalarChain twin_on(const CouplingGrid& grid, Sizes sizes,
                           const std::vector<float>& hidden_fields,
                           const std::vector<float>& output_fields, std::uint64_t seed) {
  ScalarChain twin(hidden_couplings(grid, sizes), hidden_fields, output_fields, seed);
  twin.output_couplings = grid_couplings(grid, sizes);
  return twin;
}

/// One chain that a table of kernels can work on.
struct ChainMemory {
  LayerMemory hidden, output;
  AlignedArray<std::uint32_t> generator = make_zeroed<std::uint32_t>(kGeneratorWords);
  const CouplingGrid& grid;

  ChainMemory(const CouplingGrid& couplings, const std::vector<float>& hidden_fields,
              const std::vector<float>& output_fields, std::uint64_t seed)
      : hidden(hidden_fields), output(output_fields), grid(couplings) {
    seed_generator(stream_key(seed, 0, 0), generator.get());
  }

  Chain view() const {
    return {.hidden = hidden.view(grid.hidden_rows(), grid.hidden_spans(), grid.hidden_down()),
            .output = output.view(grid.output_rows(), grid.output_spans(), grid.output_down()),
            .generator = generator.get()};
  }

  std::vector<std::uint32_t> words() const {
    return {generator.get(), generator.get() + kGeneratorWords};
  }
};

}  // namespace isingprop::test
