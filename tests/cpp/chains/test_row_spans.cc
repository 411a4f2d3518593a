#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "support/chain_memory.h"
#include "support/common.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

using Numbers = std::vector<float>;

CouplingGrid grid_of(const Numbers& couplings, Sizes sizes) { return make_grid(couplings, sizes); }

bool is_sparse(const Numbers& couplings, Sizes sizes) {
  const CouplingGrid grid = grid_of(couplings, sizes);
  CHECK((grid.hidden_spans() == nullptr) == (grid.output_spans() == nullptr));
  return grid.hidden_spans() != nullptr;
}

/// The same couplings beside a block of added ones, between added spins alone, that is so large
/// that all rows are stored whole. The sums of the couplings there were stay as they are.
struct DenseTwin {
  Sizes sizes, given;
  float added = 0.0f;  ///< each of the added couplings
  Numbers couplings;
  CouplingGrid grid;

  explicit DenseTwin(const SparseCouplings& sparse)
      : sizes{4 * sparse.sizes.num_hidden, 4 * sparse.sizes.num_output},
        given(sparse.sizes),
        grid(make_grid(fill(sparse.couplings), sizes)) {}

  /// Returns how many rows or columns were added.
  std::int64_t added_rows() const { return sizes.num_hidden - given.num_hidden; }
  std::int64_t added_columns() const { return sizes.num_output - given.num_output; }

 private:
  const Numbers& fill(const Numbers& sparse) {
    Numbers sums(size(given.num_hidden + given.num_output));
    for (std::size_t k = 0; k < sparse.size(); ++k) {
      const std::size_t columns = size(given.num_output);
      sums[k / columns] += std::abs(sparse[k]);
      sums[size(given.num_hidden) + k % columns] += std::abs(sparse[k]);
    }
    const auto most = static_cast<float>(std::max(added_rows(), added_columns()));
    added = std::exp2(std::floor(std::log2(*std::max_element(sums.begin(), sums.end()) / most)));

    couplings.resize(size(sizes.num_hidden * sizes.num_output));
    for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
      for (std::int64_t a = 0; a < sizes.num_output; ++a) {
        float& coupling = couplings[size(i * sizes.num_output + a)];
        if (i < given.num_hidden && a < given.num_output) {
          coupling = sparse[size(i * given.num_output + a)];
        } else if (i >= given.num_hidden && a >= given.num_output) {
          coupling = added;
        }
      }
    }
    return couplings;
  }
};

/// Returns the first `columns` numbers of each of the first `count` rows.
Numbers first_columns(const Numbers& rows, std::int64_t stride, std::int64_t count,
                      std::int64_t columns) {
  Numbers first;
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t k = 0; k < columns; ++k) first.push_back(rows[size(row * stride + k)]);
  }
  return first;
}

/// Returns what `read` says of each hidden spin and then of each output.
template <class Read>
auto of_spins(Sizes sizes, std::int64_t output, const Read& read) {
  std::vector<decltype(read(0))> values;
  for (std::int64_t i = 0; i < sizes.num_hidden; ++i) values.push_back(read(i));
  for (std::int64_t a = 0; a < sizes.num_output; ++a) values.push_back(read(output + a));
  return values;
}

TEST_CASE(
    "rows in spans hold the numbers of whole rows, exactly, and so do the fields of layers that "
    "are all down, and the units") {
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    const auto [num_hidden, num_output] = sparse.sizes;
    const CouplingGrid grid = grid_of(sparse.couplings, sparse.sizes);
    const DenseTwin twin(sparse);
    REQUIRE(grid.hidden_spans() != nullptr);
    REQUIRE(twin.grid.hidden_spans() == nullptr);
    REQUIRE(grid.is_graded() == twin.grid.is_graded());
    const std::int64_t stride = padded(num_output), twin_stride = padded(twin.sizes.num_output);
    CHECK(first_columns(hidden_rows(grid, sparse.sizes), stride, num_hidden, num_output) ==
          first_columns(hidden_rows(twin.grid, twin.sizes), twin_stride, num_hidden, num_output));
    const std::int64_t height = padded(num_hidden), twin_height = padded(twin.sizes.num_hidden);
    CHECK(first_columns(output_rows(grid, sparse.sizes), height, num_output, num_hidden) ==
          first_columns(output_rows(twin.grid, twin.sizes), twin_height, num_output, num_hidden));

    const auto compare = [&](const auto& read) {
      const auto of_grid = [&](std::int64_t at) { return read(grid, at); };
      const auto of_twin = [&](std::int64_t at) { return read(twin.grid, at); };
      CHECK(of_spins(sparse.sizes, height, of_grid) ==
            of_spins(sparse.sizes, twin_height, of_twin));
    };
    // The down fields of the outputs follow those of the hidden spins.
    compare([](const CouplingGrid& of, std::int64_t at) { return of.hidden_down()[at]; });
    compare([](const CouplingGrid& of, std::int64_t at) { return of.exponent(at); });
    CHECK(grid.exponent() == twin.grid.exponent());
    if (grid.is_graded()) continue;
    const double added = std::ldexp(double{twin.added}, -grid.exponent());
    const double squares = added * added * static_cast<double>(twin.added_rows()) *
                           static_cast<double>(twin.added_columns());
    CHECK(grid.sum_of_squares() ==
          doctest::Approx(twin.grid.sum_of_squares() - squares).epsilon(1e-12));
  }
}

TEST_CASE("the padding of rows in spans, and of the fields of layers that are all down, is zero") {
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    const auto [num_hidden, num_output] = sparse.sizes;
    const CouplingGrid grid = grid_of(sparse.couplings, sparse.sizes);
    bool zero = true;
    const Numbers by_row = hidden_rows(grid, sparse.sizes),
                  by_column = output_rows(grid, sparse.sizes);
    const auto check = [&zero](const float* row, std::int64_t first, std::int64_t last) {
      for (std::int64_t k = first; k < last; ++k) zero = zero && row[k] == 0.0f;
    };
    for (std::int64_t i = 0; i < num_hidden; ++i) {
      check(by_row.data() + i * padded(num_output), num_output, padded(num_output));
    }
    for (std::int64_t a = 0; a < num_output; ++a) {
      check(by_column.data() + a * padded(num_hidden), num_hidden, padded(num_hidden));
    }
    check(grid.hidden_down(), num_hidden, padded(num_hidden));
    check(grid.output_down(), num_output, padded(num_output));
    CHECK(zero);
  }
}

TEST_CASE("numbers half a quantum from two others go to the even one, in spans as in whole rows") {
  SparseCouplings sparse("ties", {40, 80},
                         [](std::int64_t i, std::int64_t a) { return i == 3 && a < 16; });
  const float quantum = 0x1p-23f;  // the row's sum is between 1 and 2
  for (std::size_t k = 0; k < 16; ++k) {
    sparse.couplings[3 * 80 + k] =
        (static_cast<float>(k) + 0.5f) * quantum * (k % 3 == 0 ? -1.0f : 1.0f);
  }
  sparse.couplings[3 * 80 + 15] = 1.25f;
  const DenseTwin twin(sparse);
  // In the units of the hidden spins, whose row has the largest sum.
  const Numbers found = hidden_couplings(grid_of(sparse.couplings, sparse.sizes), sparse.sizes);
  const Numbers expected = hidden_couplings(twin.grid, twin.sizes);
  CHECK(Numbers(found.begin() + 3 * 80, found.begin() + 4 * 80) ==
        Numbers(expected.begin() + 3 * 320, expected.begin() + 3 * 320 + 80));
  CHECK(found[3 * 80 + 1] == 1.0f);  // 1.5 quanta are 2, in units of two quanta
  CHECK(found[3 * 80 + 2] == 1.0f);  // and so are 2.5
}

TEST_CASE(
    "a span reaches from the block of the first coupling to that of the last, and the next one "
    "follows it") {
  Numbers couplings(3 * 50, 0.0f);
  couplings[17] = 1.0f;
  couplings[33] = 2.0f;
  couplings[2 * 50 + 49] = 3.0f;
  const CouplingGrid grid = grid_of(couplings, {3, 50});
  REQUIRE(grid.hidden_spans() != nullptr);
  const RowSpan* rows = grid.hidden_spans();
  CHECK((rows[0].offset == 0 && rows[0].first == 1 && rows[0].last == 3));
  CHECK(rows[1].first == rows[1].last);
  CHECK((rows[2].offset == 2 * kBlock && rows[2].first == 3 && rows[2].last == 4));
  CHECK(grid.hidden_rows()[1] == 2.0f * std::ldexp(1.0f, -grid.exponent()));
  const RowSpan* columns = grid.output_spans();
  for (std::int64_t a = 0; a < 50; ++a)
    CHECK(columns[a].last == (a == 17 || a == 33 || a == 49 ? 1 : 0));
  CHECK((columns[17].offset == 0 && columns[33].offset == kBlock &&
         columns[49].offset == 2 * kBlock));
}

TEST_CASE("rows are held in spans where these are at most a quarter of the rows") {
  const Sizes sizes{8, 64};  // 32 blocks
  Numbers couplings(8 * 64, 0.0f);
  for (std::size_t i = 0; i < 8; ++i) couplings[i * 64 + 8 * i] = 1.0f;
  CHECK(is_sparse(couplings, sizes));
  couplings[15] = 1.0f;  // in the same block as the one there was
  CHECK(is_sparse(couplings, sizes));
  couplings[16] = 1.0f;
  CHECK(!is_sparse(couplings, sizes));
  couplings[16] = -0.0f;
  CHECK(is_sparse(couplings, sizes));
  CHECK(!is_sparse({1.0f}, {1, 1}));
}

TEST_CASE("without any coupling there are no rows and no fields") {
  for (const Sizes& sizes : kSizes) {
    const Numbers zeros(static_cast<std::size_t>(sizes.num_hidden * sizes.num_output), 0.0f);
    const CouplingGrid grid = grid_of(zeros, sizes);
    REQUIRE(grid.hidden_spans() != nullptr);
    CHECK(grid_couplings(grid, sizes) == zeros);
    for (const float field :
         Numbers(grid.hidden_down(), grid.hidden_down() + padded(sizes.num_hidden))) {
      CHECK(field == 0.0f);
    }
    CHECK(grid.sum_of_squares() == 0.0);
  }
}

TEST_CASE("couplings that are not finite, or too large, are refused beside zeros, too") {
  using Limits = std::numeric_limits<float>;
  for (const float bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    for (const std::size_t at : {0, 2000, 40 * 80 - 1}) {
      Numbers couplings(40 * 80, 0.0f);
      couplings[at] = bad;
      CHECK_THROWS_WITH_AS(grid_of(couplings, {40, 80}),
                           "couplings must be finite, with sums of |J| of up to 1e300",
                           std::invalid_argument);
    }
  }
}

}  // namespace
}  // namespace isingprop::test
