/// An epoch of training on class states: each image's lowest class state against its label's.
#pragma once

#include <cstdint>

#include "util/interrupt.h"

namespace isingprop {

/// The parameters of a network, or numbers of their shapes: input_weights (num_inputs, num_hidden),
/// that is, transposed, couplings (num_hidden, num_output), hidden_bias and output_bias.
struct ParameterArrays {
  float *input_weights, *couplings, *hidden_bias, *output_bias;
};

/// The state of Adam between steps. Each array holds a number for each parameter, in the order of
/// ParameterArrays.
struct AdamState {
  float *means, *squares;
  std::int64_t num_steps;  ///< that were made before
};

/// The average of the parameters over updates is w - drift / N, where w are the last ones and the
/// drift is the sum of (n - 1) times the change in update n = 1 ... N.
struct AverageState {
  float* drift;              ///< of each parameter, like those of AdamState
  std::int64_t num_updates;  ///< that were made before
};

struct ClassEpoch {
  ParameterArrays parameters;  ///< changed in place
  std::int64_t num_inputs, num_hidden, num_classes, redundancy;

  const float* images;         ///< (any, num_inputs), in [0, 1]
  const std::int64_t* labels;  ///< of all images
  const std::int64_t* order;   ///< (num_images,), the images to learn from
  std::int64_t num_images, batch_size;

  float push;                   ///< added to the fields of the label's own outputs
  const float* rates;           ///< (minibatches, 4), of the parameters in the order above
  const AdamState* adam;        ///< null for plain steps along the gradient
  const AverageState* average;  ///< or null
  int num_threads;
};

/// Learns from each minibatch in turn by the rule of Eqs. (5) and (6): the free state of an image
/// is its lowest class state, with the push against the label, and the nudged one that of its
/// label. Where they are the same the image changes nothing. Returns the number of images whose
/// free state is not that of the label.
///
/// The result has the same bits as the same steps one by one: local fields, class energies,
/// reference states and the update of each minibatch, and does not depend on the number of threads.
/// Throws Interrupted when the user wants to stop, with the parameters as they are by then.
std::int64_t train_class_epoch(const ClassEpoch& epoch, Interrupt& interrupt);

}  // namespace isingprop
