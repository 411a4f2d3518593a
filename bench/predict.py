"""CPU time of a network's predictions by class energies, beside ten sampled reads of each image.

    python bench/predict.py [--images 10000] [--reads 10] [--repeats 5]

The network is an untrained 784-120-40 one, and so are its low-energy states: sampling takes as long
whatever they mean. Both predict the same images in turn, and the ratio is the median over such
pairs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from instances import image_set, new_network
from threadpoolctl import threadpool_limits

import isingprop as ip


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--reads", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="pairs; medians count")
    args = parser.parse_args()

    network, sampler = new_network(), ip.Annealing()
    images = image_set(num_train=10, num_test=args.images).test_images
    network.predict(images[:100])  # warms up
    pairs = []
    with threadpool_limits(1):
        for seed in range(args.repeats):
            exact = cpu_seconds(lambda: network.predict(images))
            sampled = cpu_seconds(
                lambda seed=seed: ip.predict(
                    network, sampler, images, num_reads=args.reads, seed=seed
                )
            )
            pairs.append((exact, sampled))

    exact, sampled = np.transpose(pairs)
    print(f"{len(images):,} images of {images.shape[1]} pixels, {sampler.num_sweeps} sweeps a read")
    print(f"class energies   {1e6 * median(exact) / len(images):8.2f} µs of CPU per image")
    print(f"{args.reads:3} reads        {1e6 * median(sampled) / len(images):8.2f} µs")
    print(f"ratio            {median(sampled / exact):8.1f}")


if __name__ == "__main__":
    main()
