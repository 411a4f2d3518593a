"""The baseline of Fig. 5: the same layers with real-valued units, trained by backpropagation.

Each image is one step of plain gradient descent. scikit-learn's MLPRegressor takes the same steps,
and the tests compare the two. It is not used here for two reasons:

- It takes 10 to 17 times as long: for an epoch of 1,000 images 0.35 s against 0.037 s with 120
  hidden units, and 3.2 s against 0.19 s with 1,200.
- It does not report whether an image was misclassified before its own update, which is how the
  errors of sampled states are counted.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isingprop.network.bipartite import BipartiteNetwork
from isingprop.readout import UNCLASSIFIED

Activation = Literal["relu", "sigmoid"]
_Floats = NDArray[np.float32]


class Perceptron:
    """A network of one hidden layer, trained by plain gradient descent on the squared error.

        k = f(W x + b^h),   o = J^T k + b^o,   loss = sum_a (o_a - n_a[y])^2 / 2

    The activation is f(z) = max(z, 0) or 1 / (1 + exp(-z)); n[y] is the class code of label y. The
    predicted class is the one with the largest sum of its outputs.

    Args:
        network: the initial parameters; W, J, b^h and b^o are copied.
        activation: "relu" or "sigmoid".
    """

    def __init__(self, network: BipartiteNetwork, activation: Activation) -> None:
        """Copies the parameters of the network."""
        self._readout = network.readout
        self._sigmoid = activation == "sigmoid"
        # BLAS's sger changes a matrix in place only in Fortran order.
        self.input_weights = np.array(network.input_weights, order="F")
        self.couplings = network.couplings.copy()
        self.hidden_bias = network.hidden_bias.copy()
        self.output_bias = network.output_bias.copy()

    def outputs(self, images: _Floats) -> _Floats:
        """Returns the values of the output units, (n, O), for images (n, I)."""
        result: _Floats = self._hidden(images) @ self.couplings + self.output_bias
        return result

    def predict(self, images: _Floats) -> NDArray[np.int64]:
        """Returns the predicted classes, (n,), for images (n, I)."""
        return self._classes(self.outputs(images))

    def train_epoch(
        self, images: _Floats, labels: NDArray[np.int64], order: NDArray[np.int64], rate: float
    ) -> float:
        """Makes one update for each image.

        Args:
            images: (n, I).
            labels: (n,).
            order: the row of the image of each update.
            rate: learning rate of all parameters.

        Returns:
            The fraction of images that were misclassified before their own update.
        """
        targets = self._readout.targets(labels).astype(np.float32)
        before = np.zeros_like(targets)  # an order may leave images out

        # A rate that is too large ends in NaN, which _classes reports as unclassified.
        with np.errstate(over="ignore", invalid="ignore"):
            for k in order:
                before[k] = self._update(images[k], targets[k], np.float32(rate))

        return 1.0 - float((self._classes(before) == labels).mean())

    def _update(self, image: _Floats, target: _Floats, rate: np.float32) -> _Floats:
        """Takes one step down the gradient and returns the outputs from before the step."""
        from scipy.linalg.blas import sger

        hidden = self._hidden(image)
        output: _Floats = hidden @ self.couplings + self.output_bias

        # All slopes are those of the parameters before the step.
        slope = output - target
        hidden_slope = self.couplings @ slope
        hidden_slope *= hidden * (1 - hidden) if self._sigmoid else hidden > 0

        self.couplings -= np.multiply.outer(rate * hidden, slope)
        self.output_bias -= rate * slope
        self.hidden_bias -= rate * hidden_slope
        self.input_weights = sger(-rate, hidden_slope, image, a=self.input_weights, overwrite_a=1)
        return output

    def _hidden(self, images: _Floats) -> _Floats:
        from scipy.special import expit

        total = images @ self.input_weights.T + self.hidden_bias
        result: _Floats = expit(total) if self._sigmoid else np.maximum(total, 0)
        return result

    def _classes(self, outputs: _Floats) -> NDArray[np.int64]:
        """Returns the class of each row, UNCLASSIFIED where an output exceeds float32's range."""
        shape = len(outputs), self._readout.num_classes, self._readout.redundancy
        classes = outputs.reshape(shape).sum(axis=2).argmax(axis=1)
        return np.where(np.isfinite(outputs).all(axis=1), classes, UNCLASSIFIED)
