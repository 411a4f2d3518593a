/// Rotors in scalar code, as kernels/rotor/move_rotors.cc describes them. Every table must agree
/// with it in every bit. It shares no code with the kernels but for the seeds of random numbers:
/// couplings are a dense matrix, and polynomials are summed by their coefficients.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "rotors/rotor_annealing.h"
#include "support/common.h"
#include "support/scalar_chain.h"

namespace isingprop::test {

/// Returns c[0] + c[1] x + c[2] x^2 + ..., rounded after each product and each sum.
inline float polynomial(const std::vector<float>& c, float x) {
  float sum = c.back();
  for (std::size_t k = c.size() - 1; k > 0; --k) sum = sum * x + c[k - 1];
  return sum;
}

inline float scalar_cosine(float angle) {
  const float x = kHalfPi - angle;
  return polynomial({0.99999662f, -0.16664828f, 8.3063253e-3f, -1.8363655e-4f}, x * x) * x;
}

inline float scalar_sine(float angle) {
  const float x = kHalfPi - angle;
  return polynomial({0.99999995f, -0.49999905f, 4.1663585e-2f, -1.3853704e-3f, 2.3153932e-5f},
                    x * x);
}

/// Returns 2^23 log2(u) of the uniform number u = (r >> 1) / 2^31.
inline float scalar_logarithm(std::uint32_t r) {
  const auto word = std::bit_cast<std::int32_t>(static_cast<float>(r >> 1));
  const std::int32_t exponent_and_fraction = word - std::bit_cast<std::int32_t>(0x1p31f);
  const float y = static_cast<float>(word % (1 << 23)) * 0x1p-23f;
  const float rest = polynomial({1.8456562e-6f, 0.44249532f, -0.71779109f, 0.45652172f,
                                 -0.27654083f, 0.1210023f, -2.5691106e-2f},
                                y);
  return static_cast<float>(exponent_and_fraction) + rest * 0x1p23f;
}

/// A model of rotors whose couplings are drawn at random, or given one by one.
struct GivenRotors {
  std::int64_t num_rotors;
  std::vector<std::int64_t> ends;
  std::vector<double> couplings, fields, offsets;

  /// Couples each pair with the probability `density`, and rotor 0 to none.
  GivenRotors(std::int64_t count, double density, Random random = Random(3))
      : num_rotors(count),
        fields(random.reals<double>(count, -1.0, 1.0)),
        offsets(random.reals<double>(count, -0.5, 0.5)) {
    for (std::int64_t i = 1; i < count; ++i) {
      for (std::int64_t j = 1; j < i; ++j) {
        if (random.uniform(0.0, 1.0) < density) couple(i, j, random.uniform(-1.0, 1.0));
      }
    }
  }

  void couple(std::int64_t i, std::int64_t j, double coupling) {
    ends.insert(ends.end(), {i, j});
    couplings.push_back(coupling);
  }
  RotorModel model() const {
    return RotorModel({.num_rotors = num_rotors,
                       .num_couplings = static_cast<std::int64_t>(couplings.size()),
                       .ends = ends.data(),
                       .couplings = couplings.data(),
                       .fields = fields.data(),
                       .offsets = offsets.data()});
  }
};

/// One read of a model.
class ScalarRotors {
 public:
  std::vector<float> angles;
  Xoshiro generator;

  ScalarRotors(const GivenRotors& given, std::uint64_t key)
      : angles(size(given.num_rotors), kHalfPi),
        fields_(given.fields.begin(), given.fields.end()),
        offsets_(given.offsets.begin(), given.offsets.end()),
        couplings_(size(given.num_rotors * given.num_rotors), std::nanf("")) {
    std::vector<std::uint32_t> words(kGeneratorWords);
    seed_generator(key, words.data());
    generator = {{words[0], words[1], words[2], words[3]}};
    for (std::size_t k = 0; k < given.couplings.size(); ++k) {
      const std::int64_t i = given.ends[2 * k], j = given.ends[2 * k + 1];
      couplings_[size(i * given.num_rotors + j)] = static_cast<float>(given.couplings[k]);
      couplings_[size(j * given.num_rotors + i)] = static_cast<float>(given.couplings[k]);
    }
  }

  void sweep(const RotorSweep& sweep) {
    for (std::size_t i = 0; i < angles.size(); ++i) move(i, sweep);
  }

 private:
  void move(std::size_t i, const RotorSweep& sweep) {
    float field = sweep.gain * fields_[i] + offsets_[i];
    for (std::size_t j = 0; j < angles.size(); ++j) {
      const float coupling = couplings_[i * angles.size() + j];
      if (!std::isnan(coupling)) field += coupling * scalar_cosine(angles[j]);
    }

    const auto turn = static_cast<float>(static_cast<std::int32_t>(generator.next()));
    const float log_u = scalar_logarithm(generator.next());
    float offered = std::abs(angles[i] + turn * sweep.step);
    if (offered >= 2 * kPi - offered) offered = 2 * kPi - offered;
    const float more_sine = scalar_sine(offered) - scalar_sine(angles[i]);
    const float more_cosine = scalar_cosine(offered) - scalar_cosine(angles[i]);
    const float gain = more_sine * sweep.transverse - more_cosine * (field * sweep.longitudinal);
    if (log_u < gain) angles[i] = offered;
  }

  std::vector<float> fields_, offsets_;
  std::vector<float> couplings_;  ///< a dense matrix, NaN where there is none
};

}  // namespace isingprop::test
