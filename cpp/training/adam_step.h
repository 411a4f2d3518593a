/// What the number of a step means for Adam.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/network/adam.h"

namespace isingprop {

/// Returns the job with the rate and the scale of squares of step t = 1, 2, ..., for a learning
/// rate: both make up for means that began at 0.
inline AdamJob at_step(AdamJob job, double learning_rate, std::int64_t step) {
  const auto t = static_cast<double>(step);
  job.rate = static_cast<float>(learning_rate / (1.0 - std::pow(kMeanDecay, t)));
  job.inverse_square = static_cast<float>(1.0 / (1.0 - std::pow(kSquareDecay, t)));
  return job;
}

}  // namespace isingprop
