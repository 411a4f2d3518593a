/// One problem from its numbers, its states in exact arithmetic, and descents of it.
#pragma once

#include <utility>
#include <vector>

#include "chains/chains.h"
#include "support/common.h"
#include "support/exact_sum.h"

namespace isingprop::test {

template <class Real>
struct GivenProblem {
  Sizes sizes;
  std::vector<Real> couplings, hidden_fields, output_fields;

  GivenProblem(Sizes s, std::vector<Real> all_couplings, std::vector<Real> hidden,
               std::vector<Real> output)
      : sizes(s),
        couplings(std::move(all_couplings)),
        hidden_fields(std::move(hidden)),
        output_fields(std::move(output)) {}
  explicit GivenProblem(Sizes s)
      : GivenProblem(s, std::vector<Real>(size(s.num_hidden * s.num_output)),
                     std::vector<Real>(size(s.num_hidden)), std::vector<Real>(size(s.num_output))) {
  }

  std::int64_t num_spins() const { return sizes.num_hidden + sizes.num_output; }
  Real& coupling(std::int64_t i, std::int64_t a) {
    return couplings[size(i * sizes.num_output + a)];
  }

  Problem<Real> problem() const {
    return {.couplings = couplings.data(),
            .hidden_fields = hidden_fields.data(),
            .output_fields = output_fields.data(),
            .num_problems = static_cast<std::int64_t>(hidden_fields.size()) / sizes.num_hidden,
            .num_hidden = sizes.num_hidden,
            .num_output = sizes.num_output,
            .one_output_row = false};
  }

  /// Returns the sign of s_k f_k in problem b: +1 where a flip of spin k lowers the energy.
  int lowers(const std::vector<std::int8_t>& spins, std::int64_t k, std::int64_t b = 0) const {
    ExactSum sum;
    if (k < sizes.num_hidden) {
      sum.add(static_cast<double>(problem().hidden_of(b)[k]));
      for (std::int64_t a = 0; a < sizes.num_output; ++a) {
        const auto coupling = static_cast<double>(couplings[size(k * sizes.num_output + a)]);
        sum.add(coupling * spins[size(sizes.num_hidden + a)]);
      }
    } else {
      const std::int64_t a = k - sizes.num_hidden;
      sum.add(static_cast<double>(problem().output_of(b)[a]));
      for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
        const auto coupling = static_cast<double>(couplings[size(i * sizes.num_output + a)]);
        sum.add(coupling * spins[size(i)]);
      }
    }
    return sum.sign() * spins[size(k)];
  }
  /// Returns whether any single flip lowers the energy of problem b, as it was given.
  bool is_minimum(const std::vector<std::int8_t>& spins, std::int64_t b = 0) const {
    for (std::int64_t k = 0; k < num_spins(); ++k) {
      if (lowers(spins, k, b) > 0) return false;
    }
    return true;
  }

  /// Returns the state in which a descent of problem b from another state ends.
  std::vector<std::int8_t> descended(const std::vector<std::int8_t>& from,
                                     std::int64_t b = 0) const {
    const CouplingGrid grid(problem());
    Chains chains(grid, 1, {.relative = false, .largest = 0.0});
    chains.load_fields(problem(), b);
    read_spins(from.data(), chains[0]);
    std::vector<std::int8_t> spins(from.size());
    chains.descend(problem(), b, 0, true, spins.data());
    return spins;
  }
};

}  // namespace isingprop::test
