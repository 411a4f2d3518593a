"""What the benches run on: images, networks and Ising problems, the same wherever and whenever they
run.

Images are MNIST's where the folder that ISINGPROP_DATA names, or ../shared/data beside the
repository, has them, and synthetic ones with as many lit pixels where not.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import isingprop as ip

NUM_HIDDEN, NUM_CLASSES = 120, 10  # the papers' 784-120-40
SIDE = 28  # pixels
LIT_FRACTION = 0.188  # of MNIST's pixels; the mean pixel is 0.13
CERTIFIED_FILE = "ground-states-k120x40.npz"
HIT_TOLERANCE = 1e-3  # in units of J; gaps to the next minimum are 0.006 and more
# Without that file: as many problems as it has, with 2^20 states of the outputs.
NUM_PROVED, PROVED_CLASSES = 8, 5


def data_folder() -> Path | None:
    """The folder with MNIST and the certified ground states, where there is one."""
    named = os.environ.get("ISINGPROP_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@cache
def image_set(num_train: int, num_test: int) -> ip.ImageSet:
    """MNIST by the papers' subset rule, or synthetic images with labels that mean nothing."""
    folder = data_folder()
    if folder is not None:
        try:
            return ip.load_data("mnist", data_dir=folder, num_train=num_train, num_test=num_test)
        except (FileNotFoundError, ValueError):  # no MNIST there, or too little
            pass
    images = synthetic_images(num_train + num_test)
    labels = np.arange(num_train + num_test) % NUM_CLASSES
    parts = images[:num_train], labels[:num_train], images[num_train:], labels[num_train:]
    return ip.ImageSet("synthetic", *parts, num_classes=NUM_CLASSES)


def synthetic_images(count: int) -> NDArray[np.float32]:
    """Blobs: the brightest LIT_FRACTION of a smoothed noise, the rest black. (count, 784)."""
    noise = np.random.Generator(np.random.PCG64(0)).random((count, SIDE, SIDE), dtype=np.float32)
    for axis in (1, 2):
        noise = sum(np.roll(noise, shift, axis) for shift in range(-2, 3))
    flat = noise.reshape(count, -1)
    dark = np.quantile(flat, 1 - LIT_FRACTION, axis=1, keepdims=True)
    lit = np.clip(flat - dark, 0, None)
    return np.sqrt(lit / lit.max(axis=1, keepdims=True)).astype(np.float32)


def new_network(
    seed: int = 0, num_inputs: int = SIDE**2, num_classes: int = NUM_CLASSES
) -> ip.BipartiteNetwork:
    """The papers' network at its initial scale, with four outputs for each class."""
    size = {"num_inputs": num_inputs, "num_hidden": NUM_HIDDEN, "num_classes": num_classes}
    return ip.BipartiteNetwork.random(**size, seed=seed)


def certified_problems() -> tuple[list[ip.IsingProblem], NDArray[np.float64]]:
    """Returns problems and the energies of their proved ground states.

    They are the K_{120,40} of the data folder; without its file, K_{120,20} that are proved here,
    as a line on stderr says.
    """
    folder = data_folder()
    if folder is None or not (folder / CERTIFIED_FILE).is_file():
        where = "there is no data folder" if folder is None else f"{folder} has no {CERTIFIED_FILE}"
        outputs = new_network(num_classes=PROVED_CLASSES).num_output
        print(
            f"certified problems are {NUM_HIDDEN} x {outputs}, proved by enumeration, not "
            f"{NUM_HIDDEN} x {new_network().num_output}: {where}",
            file=sys.stderr,
        )
        return proved_problems()
    with np.load(folder / CERTIFIED_FILE) as file:
        arrays = [file[name] for name in ("couplings", "hidden_fields", "output_fields")]
        energies = file["ground_energy"]
    return [ip.IsingProblem(J, h[None], g[None]) for J, h, g in zip(*arrays, strict=True)], energies


@cache
def proved_problems() -> tuple[list[ip.IsingProblem], NDArray[np.float64]]:
    """Returns problems of untrained networks, with the energies of their ground states."""
    problems = [
        new_network(seed, num_classes=PROVED_CLASSES).problem(image[None])
        for seed, image in enumerate(synthetic_images(NUM_PROVED))
    ]
    return problems, np.array([ground_energy(problem) for problem in problems])


def ground_energy(problem: ip.IsingProblem) -> float:
    """Returns the least energy of a problem, from all states t of its outputs.

    The best hidden spins for t give g t - sum_i |h_i + sum_a J_ia t_a|. The sum over a is one over
    either half of the outputs, each of which has only the square root of all states.
    """
    couplings, half = np.asarray(problem.couplings, np.float64), problem.num_output // 2
    first, second = states_of(half), states_of(problem.num_output - half)
    pull = problem.hidden_fields[0] + first @ couplings[:, :half].T
    other = second @ couplings[:, half:].T
    own = first @ problem.output_fields[0, :half]
    rest = second @ problem.output_fields[0, half:]

    least, buffer = np.inf, np.empty_like(other)
    for row, field in zip(pull, own, strict=True):
        np.abs(np.add(row, other, out=buffer), out=buffer)
        least = min(least, (field + rest - buffer.sum(axis=1)).min())
    return float(least)


def states_of(num_spins: int) -> NDArray[np.float64]:
    """Returns all states of some spins, (2^n, n)."""
    bits = np.arange(2**num_spins)[:, None] >> np.arange(num_spins)
    return 1.0 - 2.0 * (bits & 1)


def trained_network(images: ip.ImageSet, epochs: int, seed: int = 0) -> ip.BipartiteNetwork:
    """new_network after some epochs of dragon training at the paper's rate, or none."""
    network = new_network(seed, images.train_images.shape[1])
    trainer = ip.Trainer(network, learning_rate=ip.LearningRates.of(0.001), seed=seed)
    for _ in range(epochs):
        trainer.train_epoch(images.train_images, images.train_labels)
    return network
