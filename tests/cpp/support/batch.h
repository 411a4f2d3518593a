/// Several random problems under one set of couplings, and reads of them, for the tests of
/// samplers.
#pragma once

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "chains/problem.h"
#include "support/chain_memory.h"
#include "support/common.h"
#include "support/scalar_chain.h"

namespace isingprop::test {

template <class Real>
class Batch {
 public:
  static constexpr std::int64_t kNumProblems = 6, kNumReads = 5;
  Sizes sizes;
  std::vector<Real> couplings, hidden_fields, output_fields;
  std::vector<std::uint64_t> streams;
  std::vector<std::int8_t> states;  ///< one for each read of each problem
  Problem<Real> problem;
  Reads reads;

  explicit Batch(Sizes s, Random random = Random(1))
      : Batch(s, random.reals<Real>(s.num_hidden * s.num_output, -1.0, 1.0), std::move(random)) {}
  // `random` is a reference, because a copy could be made before the couplings are drawn from it.
  Batch(Sizes s, std::vector<Real> given_couplings, Random&& random = Random(1))
      : sizes(s),
        couplings(std::move(given_couplings)),
        hidden_fields(random.reals<Real>(kNumProblems * s.num_hidden, -1.0, 1.0)),
        output_fields(random.reals<Real>(kNumProblems * s.num_output, -1.0, 1.0)),
        streams(kNumProblems),
        states(random.spins(kNumProblems * kNumReads * num_spins())),
        problem{.couplings = couplings.data(),
                .hidden_fields = hidden_fields.data(),
                .output_fields = output_fields.data(),
                .num_problems = kNumProblems,
                .num_hidden = s.num_hidden,
                .num_output = s.num_output,
                .one_output_row = false},
        reads{.num_reads = kNumReads,
              .seed = 11,
              .streams = streams.data(),
              .initial = nullptr,
              .initial_problem_stride = 0,
              .initial_read_stride = 0,
              .num_threads = 1} {
    std::iota(streams.begin(), streams.end(), 100u);
  }
  Batch(const Batch&) = delete;  // problem and reads point into this one

  std::int64_t num_spins() const { return sizes.num_hidden + sizes.num_output; }
  std::int64_t num_chains() const { return problem.num_problems * reads.num_reads; }

  /// Starts each read from a state of its own.
  void start_from_states() {
    reads.initial = states.data();
    reads.initial_read_stride = num_spins();
    reads.initial_problem_stride = kNumReads * num_spins();
  }
  /// Keeps problems [first, last) only, each with its stream.
  void keep(std::int64_t first, std::int64_t last) {
    problem.hidden_fields = problem.hidden_of(first);
    problem.output_fields = problem.output_of(first);
    problem.num_problems = last - first;
    reads.streams += first;
    if (reads.initial != nullptr) reads.initial = reads.initial_of(first, 0);
  }
  /// Sets the number of reads, and uses one row of output fields for all problems.
  void read_more_with_one_output_row(std::int64_t num_reads) {
    reads.num_reads = num_reads;
    problem.one_output_row = true;
  }
  void repeat_output_fields() {
    const auto row = static_cast<std::size_t>(sizes.num_output);
    for (std::size_t k = row; k < output_fields.size(); ++k)
      output_fields[k] = output_fields[k - row];
  }
  /// Sets fields with which, under known_couplings(), the rms local field of a random state is 2.
  void take_known_fields() {
    for (std::size_t k = 0; k < hidden_fields.size(); ++k)
      hidden_fields[k] = k % 3 == 0 ? Real(2) : Real(0);
    for (std::size_t k = 0; k < output_fields.size(); ++k)
      output_fields[k] = k % 2 == 0 ? Real(-2) : Real(0);
  }
  void scale(int power) {
    for (auto* part : {&couplings, &hidden_fields, &output_fields}) {
      for (Real& value : *part) value = std::ldexp(value, power);
    }
  }

  CouplingGrid grid() const { return CouplingGrid(problem); }
  /// Returns the scalar twin of a chain of problem b at absolute betas, in units of the grid, with
  /// a gain for each spin if these units differ.
  ScalarChain twin(const CouplingGrid& grid, std::int64_t b) const {
    const auto scaled = [&](const Real* from, std::int64_t count, std::int64_t first) {
      std::vector<float> fields;
      for (std::int64_t k = 0; k < count; ++k) {
        const auto field = static_cast<double>(from[k]);
        fields.push_back(static_cast<float>(std::ldexp(field, -grid.exponent(first + k))));
      }
      return fields;
    };
    const std::int64_t output = padded(sizes.num_hidden);
    ScalarChain twin = twin_on(grid, sizes, scaled(problem.hidden_of(b), sizes.num_hidden, 0),
                               scaled(problem.output_of(b), sizes.num_output, output), 0);
    if (grid.is_graded()) {
      twin.hidden.gains = unit_ratios(grid, sizes.num_hidden, 0);
      twin.output.gains = unit_ratios(grid, sizes.num_output, output);
    }
    return twin;
  }
  /// Returns the units of some spins over the largest unit.
  static std::vector<float> unit_ratios(const CouplingGrid& grid, std::int64_t count,
                                        std::int64_t first) {
    std::vector<float> ratios;
    for (std::int64_t k = 0; k < count; ++k) {
      ratios.push_back(std::ldexp(1.0f, grid.exponent(first + k) - grid.exponent()));
    }
    return ratios;
  }

  /// Returns the energies of states of all problems, equally many of each.
  std::vector<double> energies_of(const std::vector<std::int8_t>& spins) const {
    const std::int64_t count =
        static_cast<std::int64_t>(spins.size()) / num_spins() / problem.num_problems;
    std::vector<double> result(static_cast<std::size_t>(count * problem.num_problems));
    Interrupt never([] { return false; });
    energies(problem, spins.data(), count, result.data(), never);
    return result;
  }
  /// Returns the rms local field of a random state of problem b, over all spins.
  double rms_field(std::int64_t b) const {
    double squares = 0.0;
    for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
      squares += std::pow(static_cast<double>(problem.hidden_of(b)[i]), 2);
    }
    for (std::int64_t a = 0; a < sizes.num_output; ++a) {
      squares += std::pow(static_cast<double>(problem.output_of(b)[a]), 2);
    }
    for (const Real coupling : couplings)
      squares += 2.0 * std::pow(static_cast<double>(coupling), 2);
    return std::sqrt(squares / static_cast<double>(num_spins()));
  }
  /// Returns the smallest change of energy by a single flip in any of the states.
  double least_gain(const std::vector<std::int8_t>& spins) const {
    const std::vector<double> before = energies_of(spins);
    const auto row = static_cast<std::size_t>(num_spins());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t spin = 0; spin < row; ++spin) {
      std::vector<std::int8_t> flipped = spins;
      for (std::size_t k = spin; k < flipped.size(); k += row)
        flipped[k] = static_cast<std::int8_t>(-flipped[k]);
      const std::vector<double> after = energies_of(flipped);
      for (std::size_t k = 0; k < after.size(); ++k) least = std::min(least, after[k] - before[k]);
    }
    return least;
  }
};

/// Returns couplings (3, 2) whose squares sum to 6. With take_known_fields() no spin is pinned, and
/// the rms local field is sqrt((2^2 + 2^2 + 2 * 6) / 5) = 2.
inline std::vector<double> known_couplings() { return {1.0, -1.0, 1.0, 1.0, -1.0, 1.0}; }

/// Returns couplings that every grid holds exactly, of which those of every third hidden spin are
/// 2^14 times larger, so that the grid is graded.
inline std::vector<float> graded_couplings(Sizes sizes) {
  std::vector<float> couplings = Random(8).reals<float>(sizes.num_hidden * sizes.num_output, -1, 1);
  for (std::size_t k = 0; k < couplings.size(); ++k) {
    const std::int64_t row = static_cast<std::int64_t>(k) / sizes.num_output;
    couplings[k] = std::ldexp(std::round(couplings[k] * 64.0f), row % 3 == 0 ? 8 : -6);
  }
  return couplings;
}

/// Returns the slope 2 beta / ln 2 in the units of a grid; beta is in 1 / (unit of J).
inline float slope_of(double beta, const CouplingGrid& grid) {
  return static_cast<float>(2.8853900817779268 * std::ldexp(beta, grid.exponent()));
}

/// Returns elements [row * length, (row + 1) * length).
template <class T>
std::vector<T> row_of(const std::vector<T>& values, std::int64_t row, std::int64_t length) {
  const auto begin = values.begin() + row * length;
  return {begin, begin + length};
}

template <class T>
void append(std::vector<T>& values, const std::vector<T>& more) {
  values.insert(values.end(), more.begin(), more.end());
}

}  // namespace isingprop::test
