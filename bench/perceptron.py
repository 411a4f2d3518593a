"""Test accuracy and CPU time of training on class states, beside scikit-learn's MLPClassifier.

    python bench/perceptron.py [--data-dir DIR] [--num-train 10000] [--epochs 15] [--seeds 5]

Both have 120 hidden units and learn from the same images, with one thread, in turn. The class
states have the settings of `isingprop train`; MLPClassifier((120,)) has scikit-learn's defaults.
Without a folder of MNIST's files the images are the digits.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import isingprop as ip
from isingprop.estimator.recipes import CLASS_STATES, recipe

HIDDEN = 120


def trained_network(images: ip.ImageSet, epochs: int, seed: int) -> ip.BipartiteNetwork:
    settings = recipe(CLASS_STATES)
    settings.pop("num_sweeps")  # of samplers
    network = ip.BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1],
        num_hidden=HIDDEN,
        num_classes=images.num_classes,
        coupling_gain=settings.pop("coupling_gain"),
        seed=seed,
    )
    trainer = ip.Trainer(network, ip.ClassStates(network.readout), seed=seed, **settings)
    for _ in range(epochs):
        trainer.train_epoch(images.train_images, images.train_labels, epochs)
    return network


def accuracy_and_cpu(
    images: ip.ImageSet, train: Callable[[], ip.BipartiteNetwork | MLPClassifier]
) -> tuple[float, float]:
    start = time.process_time()
    model = train()
    seconds = time.process_time() - start
    return float((model.predict(images.test_images) == images.test_labels).mean()), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--num-train", type=int)
    parser.add_argument("--epochs", type=int, default=15, help="of the class states")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()

    name = "digits" if args.data_dir is None else "mnist"
    images = ip.load_data(name, data_dir=args.data_dir, num_train=args.num_train)
    found = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for seed in range(args.seeds):
            ours = accuracy_and_cpu(
                images, lambda seed=seed: trained_network(images, args.epochs, seed)
            )
            perceptron = MLPClassifier((HIDDEN,), random_state=seed)
            theirs = accuracy_and_cpu(
                images,
                lambda model=perceptron: model.fit(images.train_images, images.train_labels),
            )
            found.append((*ours, *theirs))

    accuracy, seconds, their_accuracy, their_seconds = np.transpose(found)
    print(f"{len(images.train_images):,} training images of {name}, {args.seeds} seeds")
    print(f"class states     {100 * accuracy.mean():6.2f} %  {median(seconds):8.2f} s of CPU")
    print(f"MLPClassifier    {100 * their_accuracy.mean():6.2f} %  {median(their_seconds):8.2f} s")
    print(f"CPU, theirs over ours {median(their_seconds / seconds):6.1f}")


if __name__ == "__main__":
    main()
