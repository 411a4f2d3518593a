#include <doctest/doctest.h>

#include <string>

#include "support/instance.h"
#include "support/sparse_couplings.h"
#include "targets/dispatch.h"

namespace isingprop::test {
namespace {

TEST_CASE("a chain on every table is the scalar chain, bit for bit") {
  for (const Sizes& sizes : kSizes)
    check_annealing(Instance(sizes, 1), rising_slopes(40, 0.5f, 1.2f));
}

TEST_CASE(
    "a chain is the scalar chain at slope 0, where 63 in 64 spins flip, and at the largest slope") {
  for (const Sizes& sizes : kSizes) {
    const Instance instance(sizes, 2);
    check_annealing(instance, std::vector<float>(20, 0.0f));
    check_annealing(instance, std::vector<float>(20, kLargestSlope));
    check_annealing(instance, {0.0f, kLargestSlope, 0.0f, 0x1p-149f, kLargestSlope, 0.0f, 1.0f});
  }
}

TEST_CASE("a chain of a single sweep is the scalar chain") {
  for (const Sizes& sizes : kSizes) {
    for (const float slope : {0.0f, 1.0f, 100.0f}) check_annealing(Instance(sizes, 3), {slope});
  }
}

TEST_CASE("a chain without couplings is the scalar chain, with and without fields") {
  Instance instance({20, 9}, 4);
  instance.remove_couplings();
  for (const bool fields : {true, false}) {
    if (!fields) instance.hidden_fields.assign(20, 0.0f);
    check_annealing(instance, rising_slopes(20, 0.1f, 1.5f));
    check_annealing(instance, std::vector<float>(5, kLargestSlope));
  }
}

TEST_CASE("a chain whose rows are stored as spans is the scalar chain") {
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    const Instance instance(sparse.sizes, sparse.couplings, 10);
    REQUIRE(instance.grid.hidden_spans() != nullptr);
    check_annealing(instance, rising_slopes(40, 0.1f, 1.2f));
    check_annealing(instance, {0.0f, kLargestSlope, 0.0f, 0x1p-149f, kLargestSlope, 0.0f, 1.0f});
  }
}

TEST_CASE(
    "many calls of few sweeps equal one call of many, and each call leaves the fields right") {
  for (const Sizes& sizes : {Sizes{120, 40}, Sizes{130, 7}, Sizes{64, 65}}) {
    const Instance instance(sizes, 5);
    std::vector<float> slopes = rising_slopes(30, 0.1f, 1.2f);
    slopes[7] = slopes[15] = slopes[16] = 0.0f;
    for (const KernelTable* table : available_kernels()) {
      CAPTURE(std::string(table->name));
      const ChainMemory once = instance.chain(1), often = instance.chain(1);
      ScalarChain twin = instance.twin(1);
      twin.seed_signs();
      for (const ChainMemory* chain : {&once, &often}) table->seed_signs(chain->view());
      table->anneal(once.view(), slopes.data(), count(slopes), true);
      for (std::int64_t sweep = 0, segment = 1; sweep < count(slopes);
           sweep += segment, segment = segment % 3 + 1) {
        segment = std::min(segment, count(slopes) - sweep);
        table->anneal(often.view(), slopes.data() + sweep, segment, sweep == 0);
        for (std::int64_t k = sweep; k < sweep + segment; ++k)
          twin.sweep(slopes[static_cast<std::size_t>(k)]);
        check_same(often, twin);
      }
      check_same(once, twin);
    }
  }
}

TEST_CASE("a chain begins from its spins alone, whatever the rest of its memory holds") {
  const Instance instance({33, 20}, 6);
  const std::vector<float> slopes = rising_slopes(5, 1.0f, 1.5f);
  ScalarChain twin = instance.twin(1);
  twin.hidden.spins = Random(1).spins(33);
  twin.output.spins = Random(2).spins(20);
  const ScalarChain before = twin;
  for (const float slope : slopes) twin.sweep(slope);
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    ChainMemory chain = instance.chain(1);
    for (int run = 0; run < 2; ++run) {  // the second with what the first left
      chain.hidden.set_spins(before.hidden.spins);
      chain.output.set_spins(before.output.spins);
      seed_generator(stream_key(1, 0, 0), chain.generator.get());
      table->anneal(chain.view(), slopes.data(), count(slopes), true);
      check_same(chain, twin);
    }
  }
}

/// Returns -1/2 times the sums of rows of whole numbers, in whole numbers until the last step.
std::vector<float> plain_fields_of_down(const std::vector<float>& rows, std::int64_t num_rows,
                                        std::int64_t stride) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(stride));
  for (std::size_t k = 0; k < static_cast<std::size_t>(num_rows * stride); ++k) {
    sums[k % sums.size()] += static_cast<std::int64_t>(rows[k]);
  }
  std::vector<float> fields;
  for (const std::int64_t sum : sums) fields.push_back(-0.5f * static_cast<float>(sum));
  return fields;
}

/// Returns the sums of J^2 of rows that hold 2 J, one row after the other in float.
std::vector<float> plain_squares(const std::vector<float>& rows, std::int64_t num_rows,
                                 std::int64_t stride) {
  std::vector<float> squares(static_cast<std::size_t>(stride));
  for (std::size_t k = 0; k < static_cast<std::size_t>(num_rows * stride); ++k) {
    squares[k % squares.size()] += rows[k] * rows[k];
  }
  for (float& square : squares) square *= 0.25f;
  return squares;
}

TEST_CASE("the fields of spins that are all down are plain sums, exactly") {
  Random random(8);
  for (const std::int64_t num_rows : {1, 2, 15, 64, 129}) {
    for (const std::int64_t stride : {16, 32, 48, 64, 112, 128, 144, 304}) {
      CAPTURE(num_rows);
      CAPTURE(stride);
      std::vector<float> rows;
      for (std::int64_t k = 0; k < num_rows * stride; ++k) {
        rows.push_back(static_cast<float>(
            2 * (random.below(200'000) - 100'000)));  // 2 J; sums stay below 2^25
      }
      for (const KernelTable* table : available_kernels()) {
        CAPTURE(std::string(table->name));
        std::vector<float> fields(static_cast<std::size_t>(stride), -7.0f), squares = fields;
        table->sum_rows(rows.data(), num_rows, stride, fields.data(), squares.data());
        CHECK(fields == plain_fields_of_down(rows, num_rows, stride));
        CHECK(squares == plain_squares(rows, num_rows, stride));
      }
    }
  }
}

}  // namespace
}  // namespace isingprop::test
