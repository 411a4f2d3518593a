"""Writes the history of a training for TensorBoard, epoch by epoch.

    pip install tensorboard
    python python/examples/tensorboard_callback.py runs/tensorboard
    tensorboard --logdir runs/tensorboard

`Trainer.train` yields the record of each epoch when it is done: the body of the loop is the
callback. Five epochs take a second; prints the accuracy and where the numbers are.
"""

import math
import sys
from dataclasses import asdict

from tensorboard.summary import Writer

import isingprop as ip


def main(folder: str, epochs: int = 5) -> None:
    """Trains on digits and writes all numbers of each epoch into the folder."""
    images = ip.load_data("digits", num_train=300, num_test=100)
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=40, num_classes=10)
    trainer = ip.Trainer(network, ip.Annealing(num_sweeps=20), num_states=5)

    writer = Writer(folder)
    for record in trainer.train(images, epochs):
        for name, value in asdict(record).items():
            if value is not None and not math.isnan(value):
                writer.add_scalar(name, value, record.epoch)
        writer.flush()
    writer.close()
    print(f"test accuracy {record.test_accuracy:.1%}; to look: tensorboard --logdir {folder}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "runs/tensorboard")
