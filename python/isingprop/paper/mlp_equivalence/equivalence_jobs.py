"""The job that trains a perceptron and an energy-based model side by side, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.scaling import Interval, mean_interval
from isingprop.data.load import ImageSet
from isingprop.energy_model.energy_trainer import EnergyTrainer, batches
from isingprop.energy_model.mlp import MLP, Weights
from isingprop.energy_model.model import GIBBS, EnergyModel
from isingprop.paper.common.image_pairs import Backpropagation, PairImages
from isingprop.paper.common.jobs import Arrays
from isingprop.util.checks import Doubles, seed_for

BATCH_SIZE = 1000  # the paper's, as are the next two
LEARNING_RATE = 0.001
SCALE = 0.01  # of the initial weights of the energy-based model
NUM_EVALUATED = 1000  # training images of which loss and log-likelihood are
_ORDER = 1  # what a seed is used for, beside initial weights
_EARLY = (1, 2, 3, 5, 7, 10, 15)

Bytes = NDArray[np.int8]


def moments(num_updates: int) -> list[int]:
    """After which updates is measured: often in the beginning, less often later on, and after the last."""
    dense, sparse = range(20, 100, 10), range(100, num_updates, 20)
    return [*(k for k in (*_EARLY, *dense, *sparse) if k < num_updates), num_updates]


@dataclass(frozen=True)
class TwinTraining:
    """Trains a perceptron by backpropagation and an energy-based model, on the same batches.

    Its result has, for each of the moments: what `measured` returns, and logits, (moments, m), the perceptron's of the
    test images.

    Args:
        classes: to tell apart.
        num_hidden: K.
        num_updates: of each.
        seed: of the initial weights of both, the batches and the samples.
        num_reads: samples of each input for the gradient of the energy-based model; None: its exact gradient.
    """

    classes: tuple[int, int]
    num_hidden: int
    num_updates: int
    seed: int
    num_reads: int | None = None

    def run(self, images: ImageSet) -> Arrays:
        """Trains both from scratch."""
        pair = PairImages.of(images, self.classes)
        size = min(BATCH_SIZE, len(pair.train_x))
        perceptron = Backpropagation(self.num_hidden, LEARNING_RATE, size, self.seed)
        trainer = self._trainer(pair, size)
        rows, logits, when = [], [], moments(self.num_updates)
        drawn = islice(
            batches(len(pair.train_x), size, seed_for(self.seed, _ORDER)), self.num_updates
        )
        for update, batch in enumerate(drawn, start=1):
            x, y = pair.train_x[batch], pair.train_y[batch]
            mlp, model = perceptron.step(x, y), trainer.step(x, y)
            if update in when:
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
    """All that is known of the two after an update.

    Args:
        mlp: trained by backpropagation.
        model: trained as an energy-based model.
        pair: images; loss and log-likelihood are of the first training images.
        logits: (m,), of the perceptron and the test images.

    Returns:
        loss, log_likelihood, mlp_accuracy, ebm_accuracy; the same with "_inherited", of a perceptron or a model with
        the weights of the other; kl, between the outputs of both perceptrons on the test images; of the two that have
        the weights of the model, gradient, the norm of the model's, and cosine, of the angle to the perceptron's; norms
        and largest absolute values of weights.
    """
    twin_mlp, twin_model = model.to_mlp(), EnergyModel.from_mlp(mlp)
    x, y = pair.train_x[:NUM_EVALUATED], pair.train_y[:NUM_EVALUATED]
    second = pair.test_y[:, 0] == 1
    twin_logits = twin_mlp.logits(pair.test_x)[:, 0]
    numbers = {
        "loss": mlp.loss(x, y),
        "loss_inherited": twin_mlp.loss(x, y),
        "log_likelihood": model.log_likelihood(x, y),
        "log_likelihood_inherited": twin_model.log_likelihood(x, y),
        "mlp_accuracy": float(((logits > 0) == second).mean()),
        "mlp_accuracy_inherited": float(((twin_logits > 0) == second).mean()),
        "ebm_accuracy": float((model.predict(pair.test_x)[:, 0] == second).mean()),
        "ebm_accuracy_inherited": float((twin_model.predict(pair.test_x)[:, 0] == second).mean()),
        "kl": float(symmetrised_kl(logits, twin_logits).mean()),
    }
    numbers["gradient"], numbers["cosine"] = compared(model.gradient(x, y), ascent(twin_mlp, x, y))
    for name, weights in (("mlp", mlp), ("ebm", model)):
        both = weights.input_weights, weights.output_weights
        numbers |= {
            f"{name}_norm_{k}": float(np.linalg.norm(array))
            for k, array in enumerate(both, start=1)
        }
        numbers[f"{name}_largest"] = float(max(abs(array).max() for array in both))
    return numbers


def symmetrised_kl(first: Doubles, second: Doubles) -> Doubles:
    """KL(p || q) + KL(q || p) in nats, of the probabilities of both classes.

        sum over both classes of p log(p / q) + q log(q / p) = (p - q)(u - v),   p = sigma(u), q = sigma(v)

    Args:
        first: u, logits of any shape.
        second: v, of the same shape.

    Returns:
        Of the same shape, >= 0.
    """
    from scipy.special import expit

    side = np.where(
        first + second > 0, -1.0, 1.0
    )  # of the smaller probabilities, whose difference has all its digits
    difference: Doubles = side * (expit(side * first) - expit(side * second)) * (first - second)
    return difference


def ascent(mlp: MLP, x: NDArray[np.float32], y: Bytes) -> Weights:
    """The slope of minus the loss in each parameter, by backpropagation, Eq. (30) and Appendix A.

    Args:
        mlp: whose.
        x: (B, N).
        y: (B, M), in {0, 1}.
    """
    from scipy.special import expit

    hidden = expit(mlp.hidden_fields(x))
    error = (y - mlp.predict_proba(x)) / len(x)
    back = error @ mlp.output_weights * hidden * (1 - hidden)
    return Weights(back.T @ x, error.T @ hidden, back.sum(axis=0), error.sum(axis=0))


def compared(first: Weights, second: Weights) -> tuple[float, float]:
    """The norm of the first gradient, over all parameters, and the cosine of the angle between the two."""
    u, v = (
        np.concatenate([array.ravel() for array in each.parameters().values()])
        for each in (first, second)
    )
    norm = np.linalg.norm(u)
    return float(norm), float(u @ v / (norm * np.linalg.norm(v)))


@dataclass(frozen=True, eq=False)
class Outcome:
    """One pair and one way of training the energy-based model, over the seeds.

    Args:
        title: of the pair, and of the way where it is not by exact gradients.
        updates: (moments,), after which was measured.
        curves: (seeds, moments) arrays, by the names of `measured`.
        between: (seeds, moments), the divergence between the perceptron of a seed and those of the others, their mean;
            NaN for one seed.
    """

    title: str
    updates: NDArray[np.int64]
    curves: dict[str, Doubles]
    between: Doubles

    @classmethod
    def of(cls, title: str, num_updates: int, results: Sequence[Arrays]) -> Outcome:
        """From a result for each seed."""
        curves = {
            name: np.stack([own[name] for own in results])
            for name in sorted(results[0])
            if name != "logits"
        }
        return cls(
            title,
            np.array(moments(num_updates)),
            curves,
            _between([own["logits"] for own in results]),
        )

    def end(self, name: str) -> Doubles:
        """(seeds,), after the last update."""
        return self.curves[name][:, -1]

    def mean(self, name: str) -> Doubles:
        """(moments,), over seeds."""
        mean: Doubles = self.curves[name].mean(axis=0)
        return mean

    def farthest(self, curve: Doubles) -> tuple[float, int]:
        """The largest value of a (moments,) curve, and after which update it is there."""
        k = int(np.argmax(curve))
        return float(curve[k]), int(self.updates[k])

    def difference(self, first: str, second: str) -> Interval:
        """At the end, of equal seeds."""
        return mean_interval(self.end(first) - self.end(second))

    def gap(self, own: str, other: str, sign: int = 1) -> Doubles:
        """(moments,), the largest over seeds of |own - sign other|."""
        gap: Doubles = abs(self.curves[own] - sign * self.curves[other]).max(axis=0)
        return gap

    def late_change(self) -> Interval:
        """Of the divergence, in the last third of the updates."""
        two_thirds = int(np.searchsorted(self.updates, 2 * self.updates[-1] / 3))
        return mean_interval(self.end("kl") - self.curves["kl"][:, two_thirds])


def _between(logits: Sequence[Doubles]) -> Doubles:
    """(seeds, moments) from (moments, m) for each seed."""
    if len(logits) == 1:
        return np.full((1, len(logits[0])), math.nan)
    means = []
    for k, own in enumerate(logits):
        others = [
            symmetrised_kl(own, other).mean(axis=1) for j, other in enumerate(logits) if j != k
        ]
        means.append(np.mean(others, axis=0))
    return np.array(means)
