"""What the benches run on: images, networks and Ising problems, the same wherever and whenever they
run.

Images are MNIST's where the folder that ISINGPROP_DATA names, or ../shared/data beside the
repository, has them, and synthetic ones with as many lit pixels where not.
"""

from __future__ import annotations

import os
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


def new_network(seed: int = 0, num_inputs: int = SIDE**2) -> ip.BipartiteNetwork:
    """The papers' network at its initial scale."""
    size = {"num_inputs": num_inputs, "num_hidden": NUM_HIDDEN, "num_classes": NUM_CLASSES}
    return ip.BipartiteNetwork.random(**size, seed=seed)


def certified_problems() -> tuple[list[ip.IsingProblem], NDArray[np.float64]]:
    """Returns K_{120,40} problems and the energies of their proved ground states.

    There are none without the data folder.
    """
    folder = data_folder()
    if folder is None or not (folder / CERTIFIED_FILE).is_file():
        return [], np.empty(0)
    with np.load(folder / CERTIFIED_FILE) as file:
        arrays = [file[name] for name in ("couplings", "hidden_fields", "output_fields")]
        energies = file["ground_energy"]
    return [ip.IsingProblem(J, h[None], g[None]) for J, h, g in zip(*arrays, strict=True)], energies


def trained_network(images: ip.ImageSet, epochs: int, seed: int = 0) -> ip.BipartiteNetwork:
    """new_network after some epochs of dragon training at the paper's rate, or none."""
    network = new_network(seed, images.train_images.shape[1])
    trainer = ip.Trainer(network, learning_rate=ip.LearningRates.of(0.001), seed=seed)
    for _ in range(epochs):
        trainer.train_epoch(images.train_images, images.train_labels)
    return network
