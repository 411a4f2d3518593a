/// One chain in scalar code, as kernels/annealing/anneal.cc describes it. Every table must agree
/// with it in every bit. It shares no code with the kernels but for the seeds of random numbers:
/// fields are summed afresh, and the rule uses exp2() of the C library.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/annealing/chain.h"
#include "kernels/metropolis/random_stream.h"

namespace isingprop::test {

/// xoshiro128+ as its authors publish it (https://prng.di.unimi.it/xoshiro128plus.c).
struct Xoshiro {
  std::array<std::uint32_t, 4> s;

  std::uint32_t next() {
    const std::uint32_t result = s[0] + s[3];
    const std::uint32_t t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 11);
    return result;
  }
};

inline constexpr double kMove = 63.0 / 64.0;

/// Returns the uniform number in [0, 1) of 32 random bits. 0 counts as 2^-158; see accepts().
inline double uniform_of(std::uint32_t r) {
  return r >> 1 == 0 ? 0x1p-158 : static_cast<double>(r >> 1) * 0x1p-31;
}

/// Returns whether a spin with x = slope * s_i f_i flips.
inline bool flips(std::uint32_t r, double x) {
  return uniform_of(r) < kMove * std::exp2(x < 0.0 ? x : 0.0);
}

struct ScalarLayer {
  std::vector<float> own_fields;
  std::vector<std::int8_t> spins;
  std::vector<float> gains;  ///< empty where all are 1

  /// Returns the slope of one spin.
  double slope_of(std::size_t spin, float slope) const {
    if (gains.empty()) return double{slope};
    return std::fmin(double{slope * gains[spin]}, double{kLargestSlope});
  }
};

class ScalarChain {
 public:
  ScalarLayer hidden, output;
  /// (num_hidden, num_output), on the grid, in the units of the hidden spins and of the outputs.
  std::vector<float> couplings, output_couplings;

  ScalarChain(const std::vector<float>& grid_couplings, const std::vector<float>& hidden_fields,
              const std::vector<float>& output_fields, std::uint64_t seed)
      : hidden{hidden_fields, std::vector<std::int8_t>(hidden_fields.size()), {}},
        output{output_fields, std::vector<std::int8_t>(output_fields.size()), {}},
        couplings(grid_couplings),
        output_couplings(grid_couplings) {
    std::vector<std::uint32_t> words(kGeneratorWords);
    seed_generator(stream_key(seed, 0, 0), words.data());
    set_words(words);
  }

  void seed_signs() {
    for (ScalarLayer* layer : {&hidden, &output}) {
      const std::vector<std::uint32_t> random = draw(layer->spins.size());
      for (std::size_t i = 0; i < layer->spins.size(); ++i)
        layer->spins[i] = random[i] >> 31 == 0 ? 1 : -1;
    }
  }

  void half_sweep(ScalarLayer& layer, float slope) {
    const std::vector<float> gains = gains_of(layer);
    const std::vector<std::uint32_t> random = draw(gains.size());
    for (std::size_t i = 0; i < gains.size(); ++i) {
      if (!flips(random[i], layer.slope_of(i, slope) * double{gains[i]})) continue;
      layer.spins[i] = static_cast<std::int8_t>(-layer.spins[i]);
    }
  }

  void sweep(float slope) {
    half_sweep(hidden, slope);
    half_sweep(output, slope);
  }

  void descend() {
    descend_layer(hidden);
    while (descend_layer(output) && descend_layer(hidden)) {
    }
  }

  /// Returns the coupling field of each spin of a layer, exact in double and therefore in float.
  std::vector<float> coupling_fields(const ScalarLayer& layer) const {
    std::vector<float> fields;
    const std::size_t columns = output.spins.size();
    for (std::size_t i = 0; i < layer.spins.size(); ++i) {
      double sum = 0.0;
      if (&layer == &hidden) {
        for (std::size_t a = 0; a < columns; ++a)
          sum += double{couplings[i * columns + a]} * output.spins[a];
      } else {
        for (std::size_t j = 0; j < hidden.spins.size(); ++j) {
          sum += double{output_couplings[j * columns + i]} * hidden.spins[j];
        }
      }
      fields.push_back(static_cast<float>(sum));
    }
    return fields;
  }

  /// Returns the energy of the state, in the units of the fields, times the gains.
  double energy() const {
    double sum = 0.0;
    for (const ScalarLayer* layer : {&hidden, &output}) {
      for (std::size_t i = 0; i < layer->spins.size(); ++i)
        sum += layer->slope_of(i, 1.0f) * double{layer->own_fields[i]} * layer->spins[i];
    }
    for (std::size_t k = 0; k < couplings.size(); ++k) {
      const std::size_t columns = output.spins.size(), i = k / columns;
      sum += hidden.slope_of(i, 1.0f) * double{couplings[k]} * hidden.spins[i] *
             output.spins[k % columns];
    }
    return sum;
  }

  /// Returns s_i f_i of each spin of a layer: half of what a flip would gain.
  std::vector<float> gains_of(const ScalarLayer& layer) const {
    std::vector<float> gains = coupling_fields(layer);
    for (std::size_t i = 0; i < gains.size(); ++i) {
      const float field = layer.own_fields[i] + gains[i];
      gains[i] = layer.spins[i] < 0 ? -field : field;
    }
    return gains;
  }

  /// Draws one number for each spin, for spin i from lane i % kBlock, and for the padding, too.
  std::vector<std::uint32_t> draw(std::size_t count) {
    std::vector<std::uint32_t> numbers(
        static_cast<std::size_t>(padded(static_cast<std::int64_t>(count))));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = lanes_[i % kBlock].next();
    numbers.resize(count);
    return numbers;
  }

  void set_words(const std::vector<std::uint32_t>& words) {
    for (std::size_t k = 0; k < words.size(); ++k) lanes_[k % kBlock].s[k / kBlock] = words[k];
  }

  std::vector<std::uint32_t> words() const {
    std::vector<std::uint32_t> all(kGeneratorWords);
    for (std::size_t k = 0; k < all.size(); ++k) all[k] = lanes_[k % kBlock].s[k / kBlock];
    return all;
  }

 private:
  bool descend_layer(ScalarLayer& layer) {
    bool changed = false;
    const std::vector<float> gains = gains_of(layer);
    for (std::size_t i = 0; i < gains.size(); ++i) {
      if (!(gains[i] > 0.0f)) continue;
      layer.spins[i] = static_cast<std::int8_t>(-layer.spins[i]);
      changed = true;
    }
    return changed;
  }

  std::array<Xoshiro, kBlock> lanes_;
};

}  // namespace isingprop::test
