"""The job that trains a perceptron and an energy-based model side by side, and what it measures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from isingprop.data.load import ImageSet
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.mlp import MLP, Bits, Weights
from isingprop.energy_model.model import GIBBS, EnergyModel
from isingprop.paper.common.image_pairs import Backpropagation, PairImages
from isingprop.paper.common.jobs import Arrays
from isingprop.util.checks import Doubles, seed_for

# The paper's batch size, learning rate, and standard deviation of the energy-based model's initial
# weights.
BATCH_SIZE = 1000
LEARNING_RATE = 0.001
SCALE = 0.01

NUM_EVALUATED = 1000  # training images that loss, log-likelihood and gradients are evaluated on
_ORDER = 1  # the random stream of the batches; initial weights take the seed as it is
_EARLY = (1, 2, 3, 5, 7, 10, 15)  # updates in the beginning after which the job measures


def moments(num_updates: int) -> list[int]:
    """Returns the updates after which the job measures, ascending.

    They are dense in the beginning, every tenth up to 100, every twentieth later, and the last.
    """
    dense, sparse = range(20, 100, 10), range(100, num_updates, 20)
    return [*(k for k in (*_EARLY, *dense, *sparse) if k < num_updates), num_updates]


@dataclass(frozen=True)
class TwinTraining:
    """Job that trains a perceptron and an energy-based model on the same batches.

    The perceptron is trained by backpropagation. For each of the `moments`, the result holds what
    `measured` returns, in an array by each of its names; and logits, (moments, m), the perceptron's
    logits of the test images.

    Args:
        classes: the two classes to tell apart.
        num_hidden: K, the number of hidden units of both.
        num_updates: updates of each.
        seed: decides the initial weights of both, the batches and the samples.
        num_reads: samples of each input for the gradient of the energy-based model; None takes its
            exact gradient.
    """

    classes: tuple[int, int]
    num_hidden: int
    num_updates: int
    seed: int
    num_reads: int | None = None

    def run(self, images: ImageSet) -> Arrays:
        """Trains both from scratch, update by update."""
        pair = PairImages.of(images, self.classes)
        size = min(BATCH_SIZE, len(pair.train_x))
        perceptron = Backpropagation(self.num_hidden, LEARNING_RATE, size, self.seed)
        trainer = self._trainer(pair, size)

        order = batches(len(pair.train_x), size, seed_for(self.seed, _ORDER))
        rows, logits, measured_after = [], [], moments(self.num_updates)
        for update, batch in enumerate(islice(order, self.num_updates), start=1):
            x, y = pair.train_x[batch], pair.train_y[batch]
            mlp, model = perceptron.step(x, y), trainer.step(x, y)
            if update in measured_after:
                logits.append(mlp.logits(pair.test_x)[:, 0])
                rows.append(measured(mlp, model, pair, logits[-1]))

        columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return columns | {"logits": np.array(logits)}

    def _trainer(self, pair: PairImages, batch_size: int) -> EnergyTrainer:
        num_inputs = pair.train_x.shape[1]
        return EnergyTrainer(
            EnergyModel.random(
                num_inputs=num_inputs, num_hidden=self.num_hidden, scale=SCALE, seed=self.seed
            ),
            None if self.num_reads is None else GIBBS,
            num_reads=self.num_reads or 1,
            learning_rate=LEARNING_RATE,
            batch_size=batch_size,
            seed=self.seed,
        )


def measured(mlp: MLP, model: EnergyModel, pair: PairImages, logits: Doubles) -> dict[str, float]:
    """Measures both after an update, each also with the weights of the other.

    Args:
        mlp: the perceptron trained by backpropagation.
        model: the energy-based model.
        pair: images; loss, log-likelihood and gradients are means over the first NUM_EVALUATED
            training images.
        logits: (m,), the perceptron's logits of the test images.

    Returns:
        These numbers by name:

        - loss, log_likelihood, mlp_accuracy, ebm_accuracy: of the two as they were trained;
        - the same four names with "_inherited": of a perceptron or a model that has the weights of
          the other;
        - kl: the mean symmetrised divergence, on the test images, between the outputs of the
          perceptron and of one that has the weights of the model;
        - gradient: the norm of the model's gradient;
        - cosine: of the angle between that gradient and a perceptron's with the same weights;
        - mlp_norm_1, mlp_norm_2, ebm_norm_1, ebm_norm_2: norms of both weight matrices;
        - mlp_largest, ebm_largest: the largest absolute values of weights.
    """
    twin_mlp, twin_model = model.to_mlp(), EnergyModel.from_mlp(mlp)
    x, y = pair.train_x[:NUM_EVALUATED], pair.train_y[:NUM_EVALUATED]
    is_second = pair.test_y[:, 0] == 1
    twin_logits = twin_mlp.logits(pair.test_x)[:, 0]
    predicted = {
        "mlp_accuracy": logits > 0,
        "mlp_accuracy_inherited": twin_logits > 0,
        "ebm_accuracy": model.predict(pair.test_x)[:, 0],
        "ebm_accuracy_inherited": twin_model.predict(pair.test_x)[:, 0],
    }
    norm, cosine = norm_and_cosine(model.gradient(x, y), ascent(twin_mlp, x, y))

    return {
        "loss": mlp.loss(x, y),
        "loss_inherited": twin_mlp.loss(x, y),
        "log_likelihood": model.log_likelihood(x, y),
        "log_likelihood_inherited": twin_model.log_likelihood(x, y),
        **{name: float((classes == is_second).mean()) for name, classes in predicted.items()},
        "kl": float(symmetrised_kl(logits, twin_logits).mean()),
        "gradient": norm,
        "cosine": cosine,
        **_sizes_of_weights("mlp", mlp),
        **_sizes_of_weights("ebm", model),
    }


def _sizes_of_weights(name: str, weights: MLP | EnergyModel) -> dict[str, float]:
    """Returns the norms of both weight matrices and the largest absolute value of their entries."""
    first, second = weights.input_weights, weights.output_weights
    return {
        f"{name}_norm_1": float(np.linalg.norm(first)),
        f"{name}_norm_2": float(np.linalg.norm(second)),
        f"{name}_largest": float(max(abs(first).max(), abs(second).max())),
    }


def symmetrised_kl(first: Doubles, second: Doubles) -> Doubles:
    """Returns KL(p || q) + KL(q || p) in nats, of the probabilities of both classes.

        sum over both classes of p log(p / q) + q log(q / p) = (p - q)(u - v),
        p = sigma(u), q = sigma(v)

    Args:
        first: u, logits of any shape.
        second: v, of the same shape.

    Returns:
        The divergence of each pair of logits, in the shape of both, >= 0.
    """
    from scipy.special import expit

    # The difference is taken between the smaller ones of p and 1 - p: near 1 it would lose digits.
    side = np.where(first + second > 0, -1.0, 1.0)
    difference: Doubles = side * (expit(side * first) - expit(side * second)) * (first - second)
    return difference


def ascent(mlp: MLP, x: NDArray[np.float32], y: Bits) -> Weights:
    """Returns minus the gradient of the loss by backpropagation, Eq. (30) and Appendix A.

    Args:
        mlp: the perceptron whose loss it is.
        x: (B, N), inputs.
        y: (B, M), targets in {0, 1}.
    """
    from scipy.special import expit

    hidden = expit(mlp.hidden_fields(x))
    error = (y - mlp.predict_proba(x)) / len(x)
    back = error @ mlp.output_weights * hidden * (1 - hidden)
    return Weights(back.T @ x, error.T @ hidden, back.sum(axis=0), error.sum(axis=0))


def norm_and_cosine(first: Weights, second: Weights) -> tuple[float, float]:
    """Returns the norm of the first gradient and the cosine of the angle between both.

    Each gradient is taken as one vector of all its parameters.
    """
    u, v = (
        np.concatenate([array.ravel() for array in each.parameters().values()])
        for each in (first, second)
    )
    norm = np.linalg.norm(u)
    return float(norm), float(u @ v / (norm * np.linalg.norm(v)))
