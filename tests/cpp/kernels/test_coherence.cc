#include <doctest/doctest.h>

#include <vector>

#include "chains/coupling_grid.h"
#include "support/common.h"
#include "support/make_grid.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

/// Returns rows of random signs times random sizes, with zeros up to whole blocks.
std::vector<float> padded_rows(std::int64_t num_rows, std::int64_t length, Random& random) {
  std::vector<float> rows(static_cast<std::size_t>(num_rows * padded(length)));
  for (std::int64_t a = 0; a < num_rows; ++a) {
    for (std::int64_t i = 0; i < length; ++i) {
      rows[static_cast<std::size_t>(a * padded(length) + i)] =
          static_cast<float>(random.uniform(-1.0, 1.0));
    }
  }
  return rows;
}

/// Returns the mean sign of the loops of rows (a, a + shift) and two different columns.
double mean_loop(const std::vector<float>& rows, std::int64_t num_rows, std::int64_t length,
                 const std::vector<std::int64_t>& shifts) {
  const auto sign = [&](std::int64_t a, std::int64_t i) {
    return rows[static_cast<std::size_t>(a % num_rows * padded(length) + i)] < 0.0f ? -1.0 : 1.0;
  };
  double sum = 0.0, count = 0.0;
  for (const std::int64_t shift : shifts) {
    for (std::int64_t a = 0; a < num_rows; ++a) {
      for (std::int64_t i = 0; i < length; ++i) {
        for (std::int64_t k = 0; k < length; ++k) {
          if (i == k) continue;
          sum += sign(a, i) * sign(a + shift, i) * sign(a, k) * sign(a + shift, k);
          count += 1.0;
        }
      }
    }
  }
  return sum / count;
}

TEST_CASE("the coherence of signs is the mean of their loops, on every table") {
  Random random(1);
  for (const auto& [num_rows, length] : {std::pair{2, 2}, {3, 17}, {7, 64}, {5, 65}, {4, 130}}) {
    CAPTURE(length);
    const std::vector<float> rows = padded_rows(num_rows, length, random);
    const std::vector<std::int64_t> shifts = {1, num_rows - 1};
    std::vector<std::uint64_t> words(static_cast<std::size_t>(num_rows * num_flip_words(length)));
    const double expected = mean_loop(rows, num_rows, length, shifts);
    on_every_table([&] {
      const double found =
          kernels().sign_coherence(rows.data(), num_rows, length, shifts.data(), 2, words.data());
      CHECK(found == doctest::Approx(expected).epsilon(1e-12));
    });
  }
}

TEST_CASE("the coherence of a grid is that of its couplings, and 0 where it is noise") {
  Random random(2);
  for (const auto& sizes : {Sizes{120, 40}, Sizes{40, 120}, Sizes{64, 64}, Sizes{300, 200}}) {
    for (const double wrong : {0.0, 0.1, 0.2, 0.5}) {
      CAPTURE(wrong);
      const auto x = random.spins(sizes.num_hidden), y = random.spins(sizes.num_output);
      std::vector<double> couplings;
      for (const auto s : x) {
        for (const auto t : y) {
          const double flip = random.uniform(0.0, 1.0) < wrong ? -1.0 : 1.0;
          couplings.push_back(flip * s * t * random.uniform(0.5, 1.0));
        }
      }
      const double order = 1.0 - 2.0 * wrong, c = order * order * order * order;
      const double found = make_grid(couplings, sizes).coherence();
      CHECK(found == doctest::Approx(c).epsilon(0.15));
      if (wrong == 0.5) CHECK(found == 0.0);
    }
  }
  const std::vector<double> small(32 * 32, 1.0);
  CHECK(make_grid(small, {32, 32}).coherence() == 0.0);
}

}  // namespace
}  // namespace isingprop::test
