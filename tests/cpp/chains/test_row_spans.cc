#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "support/chain_memory.h"
#include "support/common.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

using Numbers = std::vector<float>;

CouplingGrid grid_of(const Numbers& couplings, Sizes sizes) {
  return {couplings.data(), sizes.num_hidden, sizes.num_output};
}

bool is_sparse(const Numbers& couplings, Sizes sizes) {
  const CouplingGrid grid = grid_of(couplings, sizes);
  CHECK((grid.hidden_spans() == nullptr) == (grid.output_spans() == nullptr));
  return grid.hidden_spans() != nullptr;
}

/// The same couplings with so many rows added that all rows are stored whole. The added numbers are
/// so small that they round to 0 and do not change the grid.
struct DenseTwin {
  Sizes sizes;
  Numbers couplings;
  CouplingGrid grid;

  explicit DenseTwin(const SparseCouplings& sparse)
      : sizes{sparse.sizes.num_hidden * 3 / 2 + 1, sparse.sizes.num_output},
        couplings(sparse.couplings),
        grid(fill(), sizes.num_hidden, sizes.num_output) {}

 private:
  const float* fill() {
    couplings.resize(static_cast<std::size_t>(sizes.num_hidden * sizes.num_output), 0x1p-40f);
    return couplings.data();
  }
};

/// Returns the first `columns` numbers of each row.
Numbers first_columns(const Numbers& rows, std::int64_t stride, std::int64_t columns) {
  Numbers first;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (static_cast<std::int64_t>(k) % stride < columns) first.push_back(rows[k]);
  }
  return first;
}

TEST_CASE(
    "rows in spans hold the numbers of whole rows, exactly, and so do the fields of layers that "
    "are all down") {
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    const auto [num_hidden, num_output] = sparse.sizes;
    const CouplingGrid grid = grid_of(sparse.couplings, sparse.sizes);
    const DenseTwin twin(sparse);
    REQUIRE(grid.hidden_spans() != nullptr);
    REQUIRE(twin.grid.hidden_spans() == nullptr);
    const std::int64_t stride = padded(num_output), twin_stride = padded(twin.sizes.num_hidden);
    const float* twin_rows = twin.grid.hidden_rows();
    CHECK(hidden_rows(grid, sparse.sizes) == Numbers(twin_rows, twin_rows + num_hidden * stride));
    const Numbers twin_columns = output_rows(twin.grid, twin.sizes);
    CHECK(first_columns(output_rows(grid, sparse.sizes), padded(num_hidden), num_hidden) ==
          first_columns(twin_columns, twin_stride, num_hidden));
    CHECK(Numbers(grid.hidden_down(), grid.hidden_down() + num_hidden) ==
          Numbers(twin.grid.hidden_down(), twin.grid.hidden_down() + num_hidden));
    CHECK(Numbers(grid.output_down(), grid.output_down() + stride) ==
          Numbers(twin.grid.output_down(), twin.grid.output_down() + stride));
    CHECK(grid.exponent() == twin.grid.exponent());
    CHECK(grid.sum_of_squares() == doctest::Approx(twin.grid.sum_of_squares()).epsilon(1e-14));
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
  const Numbers rows = hidden_rows(grid_of(sparse.couplings, sparse.sizes), sparse.sizes);
  CHECK(Numbers(rows.begin() + 3 * 80, rows.begin() + 4 * 80) ==
        Numbers(twin.grid.hidden_rows() + 3 * 80, twin.grid.hidden_rows() + 4 * 80));
  CHECK(rows[3 * 80 + 1] == 2.0f);  // 1.5 quanta are 2, and rows hold 2 J in units of two quanta
  CHECK(rows[3 * 80 + 2] == 2.0f);  // and so are 2.5
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
  for (const float bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), 2e30f}) {
    for (const std::size_t at : {0, 2000, 40 * 80 - 1}) {
      Numbers couplings(40 * 80, 0.0f);
      couplings[at] = bad;
      CHECK_THROWS_WITH_AS(grid_of(couplings, {40, 80}),
                           "couplings must be finite, with sums below 1e30", std::invalid_argument);
    }
  }
}

}  // namespace
}  // namespace isingprop::test
