#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <set>

#include "support/common.h"
#include "support/scalar_chain.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

std::vector<std::uint32_t> words_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t read) {
  std::vector<std::uint32_t> words(kGeneratorWords);
  seed_generator(stream_key(seed, stream, read), words.data());
  return words;
}

TEST_CASE("mix() is SplitMix64: the numbers its authors' code gives for the state 1234567") {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
        16408922859458223821u}) {
    CHECK(mix(state += kGoldenGamma) == expected);
  }
}

TEST_CASE("the scalar xoshiro128+ gives the published numbers for the state 1, 2, 3, 4") {
  Xoshiro generator{{1, 2, 3, 4}};
  for (const std::uint32_t expected : {5u, 12295u, 25178119u, 27286542u, 39879690u}) {
    CHECK(generator.next() == expected);
  }
}

// This stays within a minor version: a change changes the numbers of every run.
TEST_CASE("a seed names the same stream for ever") {
  const std::vector<std::uint32_t> words = words_of(1, 2, 3);
  CHECK(words[0] == 3354482552u);
  CHECK(words[kGeneratorWords - 1] == 135905571u);
}

TEST_CASE(
    "different seeds, streams and reads give different generators, and none is stuck at zero") {
  std::set<std::vector<std::uint32_t>> seen;
  const std::uint64_t numbers[] = {0, 1, 2, 3, 1ull << 32, 1ull << 63, ~0ull};
  for (const std::uint64_t seed : numbers) {
    for (const std::uint64_t stream : numbers) {
      for (const std::uint64_t read : numbers) {
        const std::vector<std::uint32_t> words = words_of(seed, stream, read);
        CHECK(seen.insert(words).second);
        for (std::size_t l = 0; l < kBlock; ++l) {
          CHECK((words[l] | words[kBlock + l] | words[2 * kBlock + l] | words[3 * kBlock + l]) !=
                0);
        }
      }
    }
  }
}

TEST_CASE(
    "the words of one generator, and those of neighbouring reads, are half zeros and half ones") {
  std::int64_t ones = 0, shared = 0;
  constexpr std::int64_t kReads = 1000, kBits = kReads * kGeneratorWords * 32;
  std::vector<std::uint32_t> before = words_of(0, 0, kReads);
  for (std::uint64_t read = 0; read < kReads; ++read) {
    const std::vector<std::uint32_t> words = words_of(0, 0, read);
    for (std::size_t k = 0; k < kGeneratorWords; ++k) {
      ones += std::popcount(words[k]);
      shared += std::popcount(words[k] ^ before[k]);
    }
    before = words;
  }
  const double five_sigma = 2.5 * std::sqrt(static_cast<double>(kBits));
  CHECK(std::abs(static_cast<double>(ones) - kBits / 2.0) < five_sigma);
  CHECK(std::abs(static_cast<double>(shared) - kBits / 2.0) < five_sigma);
}

}  // namespace
}  // namespace isingprop::test
