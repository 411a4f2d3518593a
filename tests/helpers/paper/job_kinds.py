"""Jobs for the tests of the runner: processes that are not forked find them here by name.

Each writes a line into a file when it starts, so that a test can tell how often it ran.
"""

import importlib.metadata
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import isingprop as ip
from isingprop.paper.common.jobs import Arrays


def small_images() -> ip.ImageSet:
    random = np.random.default_rng(0)
    parts = [(random.random((60, 16), np.float32), random.integers(10, size=60)) for _ in range(2)]
    return ip.ImageSet("random", *parts[0], *parts[1], num_classes=10)


@dataclass(frozen=True)
class Count:
    """Notes that it ran; `number` plus the sum of all labels."""

    log: str
    number: int
    seconds: float = 0.0

    def run(self, images: ip.ImageSet) -> Arrays:
        with Path(self.log).open("a") as file:
            file.write(f"{self.number}\n")
        time.sleep(self.seconds)
        return {
            "sum": np.float64(self.number + images.train_labels.sum()),
            "pid": np.array([os.getpid()]),
        }


@dataclass(frozen=True)
class Twin(Count):
    """Differs by its name."""


@dataclass(frozen=True)
class Die(Count):
    """Dies as if killed from outside, but not where its marker is already there."""

    marker: str = ""

    def run(self, images: ip.ImageSet) -> Arrays:
        arrays = super().run(images)
        if not Path(self.marker).is_file():
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return arrays


@dataclass(frozen=True)
class AlwaysDie(Count):
    def run(self, images: ip.ImageSet) -> Arrays:
        super().run(images)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


@dataclass(frozen=True)
class Fail(Count):
    def run(self, images: ip.ImageSet) -> Arrays:
        super().run(images)
        raise ZeroDivisionError("one over nothing")


@dataclass(frozen=True)
class Train:
    """Trains a small network."""

    seed: int
    epochs: int = 1

    def run(self, images: ip.ImageSet) -> Arrays:
        sizes = {"num_inputs": images.train_images.shape[1], "num_classes": images.num_classes}
        network = ip.BipartiteNetwork.random(num_hidden=20, seed=self.seed, **sizes)
        history = ip.Trainer(network, ip.Annealing(10), num_states=5, seed=self.seed).fit(
            images, self.epochs
        )
        return {
            **network.parameters(),
            "accuracy": np.array([record.test_accuracy for record in history]),
        }


@dataclass(frozen=True)
class Threads:
    """How many threads the libraries of linear algebra and OpenMP have, also those loaded here for
    the first time.
    """

    def run(self, images: ip.ImageSet) -> Arrays:
        import scipy.linalg  # noqa: F401
        import sklearn.cluster  # noqa: F401

        return {"threads": np.array([library["num_threads"] for library in threadpool_info()])}


def pretend_version(text: str | None) -> None:
    """Has every package have this version, or be missing, in the process that calls it."""

    def version(name: str) -> str:
        if text is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return text

    importlib.metadata.version = version
