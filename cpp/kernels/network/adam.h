/// The struct that a step of Adam works on.
#pragma once

#include <cstdint>

namespace isingprop {

/// How fast the running means of changes and of their squares forget.
inline constexpr double kMeanDecay = 0.9, kSquareDecay = 0.999;
inline constexpr float kMeanShare = 0.1f, kSquareShare = 0.001f;

struct AdamJob {
  float* values;   ///< parameters, (count,)
  float* changes;  ///< the direction in which they should move; set to 0
  float* means;    ///< running means of the changes
  float* squares;  ///< and of their squares
  float* drift;    ///< the sum of weight * step over steps, or null
  std::int64_t count;
  float rate;            ///< learning rate / (1 - 0.9^t), for step t = 1, 2, ...
  float inverse_square;  ///< 1 / (1 - 0.999^t)
  float weight;          ///< of this step in the drift
};

}  // namespace isingprop
