#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/scalar_rotors.h"

namespace isingprop::test {
namespace {

/// Lanes of a block, whose arrays it holds. Lanes beyond the reads hold pi / 2.
struct BlockMemory {
  RotorModel model;
  std::vector<float> angles, cosines, sines;
  std::vector<std::uint32_t> generators;
  RotorBlock block;

  BlockMemory(const GivenRotors& given, std::int64_t num_reads, std::int64_t num_lanes)
      : model(given.model()),
        angles(size(given.num_rotors * num_lanes), kHalfPi),
        cosines(angles.size()),
        sines(angles.size()),
        generators(size(num_lanes / kBlock * kGeneratorWords)),
        block(model.block()) {
    block.num_reads = num_reads;
    block.num_lanes = num_lanes;
    block.angles = angles.data();
    block.cosines = cosines.data();
    block.sines = sines.data();
    block.generators = generators.data();
  }

  std::uint32_t& word(std::int64_t lane, std::int64_t k) {
    return generators[size(lane / kBlock * kGeneratorWords + k * kBlock + lane % kBlock)];
  }
};

RotorSweep sweep_of(double transverse, double longitudinal, float gain, double width) {
  return {.transverse = static_cast<float>(transverse * kLogUnitsPerEnergy),
          .longitudinal = static_cast<float>(longitudinal * kLogUnitsPerEnergy),
          .gain = gain,
          .step = static_cast<float>(width * double{kPi} * 0x1p-31)};
}

TEST_CASE("cosines and sines are correct to 1e-6, and the same bits on every table") {
  const GivenRotors given(4096, 0.0);
  on_every_table([&] {
    BlockMemory memory(given, kBlock, kBlock);
    const auto last = static_cast<double>(memory.angles.size() - 1);
    for (std::size_t k = 0; k < memory.angles.size(); ++k) {
      memory.angles[k] = kPi * static_cast<float>(static_cast<double>(k) / last);
    }
    kernels().place_rotors(memory.block);

    double error = 0.0;
    bool same = true;
    for (std::size_t k = 0; k < memory.angles.size(); ++k) {
      const float angle = memory.angles[k], cosine = memory.cosines[k], sine = memory.sines[k];
      error = std::max({error, std::abs(std::cos(double{angle}) - double{cosine}),
                        std::abs(std::sin(double{angle}) - double{sine})});
      same &= cosine == scalar_cosine(angle) && sine == scalar_sine(angle);
    }
    CHECK(error < 1e-6);
    CHECK(same);
  });
}

// The kernels' logarithm is compared with this one by the test of whole sweeps below.
TEST_CASE("the scalar logarithm is correct to 2e-6") {
  Random random(5);
  double error = 0.0;
  for (int bits = 1; bits <= 32; ++bits) {
    for (int k = 0; k < 2000; ++k) {
      const auto r = static_cast<std::uint32_t>(random.word() >> 32) >> (32 - bits);
      if (r < 2) continue;
      // A float holds 24 bits of u: the logarithm is that of the float, to 2^-23 of its own.
      const double expected = std::log2(double{static_cast<float>(r >> 1)}) - 31.0;
      const double slack = 1e-7 * std::abs(expected);
      error = std::max(error, std::abs(double{scalar_logarithm(r)} * 0x1p-23 - expected) - slack);
    }
  }
  CHECK(error < 2e-6);
  CHECK(scalar_logarithm(0) < -150 * 0x1p23f);
}

TEST_CASE("sweeps are those of the scalar twin, bit for bit, on every table") {
  const std::vector<RotorSweep> sweeps = {
      sweep_of(5.0, 0.0, 1.0f, 1.0),  sweep_of(3.0, 1.0, 1.0f, 1.0), sweep_of(1.0, 3.0, -0.5f, 0.3),
      sweep_of(0.5, 9.0, 0.0f, 0.05), sweep_of(0.0, 9.0, 1.0f, 1.0), sweep_of(0.0, 9.0, 1.0f, 0.0)};
  for (const GivenRotors& given :
       {GivenRotors(23, 0.3), GivenRotors(7, 1.0), GivenRotors(1, 0.0), GivenRotors(40, 0.05)}) {
    for (const auto& [num_reads, num_lanes] :
         {std::pair{1, 16}, {5, 16}, {16, 16}, {17, 32}, {33, 64}, {64, 64}, {100, 112}}) {
      CAPTURE(given.num_rotors);
      CAPTURE(num_reads);
      on_every_table([&] {
        BlockMemory memory(given, num_reads, num_lanes);
        std::vector<ScalarRotors> twins;
        for (std::int64_t lane = 0; lane < num_reads; ++lane) {
          twins.emplace_back(given, 70 + static_cast<std::uint64_t>(lane));
          for (std::int64_t k = 0; k < 4; ++k)
            memory.word(lane, k) = twins.back().generator.s[size(k)];
        }
        kernels().place_rotors(memory.block);
        kernels().move_rotors(memory.block, sweeps.data(), std::ssize(sweeps));

        bool same = true;
        for (std::int64_t lane = 0; lane < num_reads; ++lane) {
          ScalarRotors& twin = twins[size(lane)];
          for (const RotorSweep& sweep : sweeps) twin.sweep(sweep);
          for (std::int64_t i = 0; i < given.num_rotors; ++i) {
            const std::size_t at = size(i * num_lanes + lane);
            const float angle = twin.angles[size(i)];
            same &= memory.angles[at] == angle && memory.cosines[at] == scalar_cosine(angle) &&
                    memory.sines[at] == scalar_sine(angle);
          }
          for (std::int64_t k = 0; k < 4; ++k)
            same &= memory.word(lane, k) == twin.generator.s[size(k)];
        }
        CHECK(same);
      });
    }
  }
}

TEST_CASE("angles stay in [0, pi], also from its ends and with the largest steps") {
  const GivenRotors given(3, 1.0);
  const std::vector<RotorSweep> sweeps(2000, sweep_of(0.0, 0.0, 1.0, 1.0));
  on_every_table([&] {
    BlockMemory memory(given, kBlock, kBlock);
    for (std::size_t k = 0; k < memory.angles.size(); ++k) memory.angles[k] = k % 2 ? 0.0f : kPi;
    // Generators whose first number is 2^31 turn a rotor by -pi, those with 2^31 - 1 by pi.
    for (std::int64_t lane = 0; lane < kBlock; ++lane) {
      memory.word(lane, 0) = 0x80000000u - static_cast<std::uint32_t>(lane / 2 % 2);
      memory.word(lane, 1) = 1;
    }
    kernels().place_rotors(memory.block);
    for (const RotorSweep& sweep : sweeps) {
      kernels().move_rotors(memory.block, &sweep, 1);
      const auto [least, largest] = std::minmax_element(memory.angles.begin(), memory.angles.end());
      REQUIRE(*least >= 0.0f);
      REQUIRE(*largest <= kPi);
    }
  });
}

}  // namespace
}  // namespace isingprop::test
