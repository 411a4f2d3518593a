/// Grids of couplings alone, without the problems that samplers solve on them.
#pragma once

#include <vector>

#include "chains/coupling_grid.h"
#include "support/common.h"

namespace isingprop::test {

/// Returns the grid of couplings (num_hidden, num_output) of a problem whose only field acts on the
/// first hidden spin.
template <class Real>
CouplingGrid make_grid(const std::vector<Real>& couplings, Sizes sizes, double field = 0.0) {
  std::vector<Real> hidden_fields(size(sizes.num_hidden)), output_fields(size(sizes.num_output));
  hidden_fields.front() = static_cast<Real>(field);
  return CouplingGrid(Problem<Real>{.couplings = couplings.data(),
                                    .hidden_fields = hidden_fields.data(),
                                    .output_fields = output_fields.data(),
                                    .num_problems = 1,
                                    .num_hidden = sizes.num_hidden,
                                    .num_output = sizes.num_output,
                                    .one_output_row = false});
}

}  // namespace isingprop::test
