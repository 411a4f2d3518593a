"""Trains on a table of your own, and classifies new rows into a file.

    python python/examples/own_data.py                                       # its own: takes 2 s
    python python/examples/own_data.py leaves.csv new.csv out.csv species
    python python/examples/own_data.py digits.npz new.npy out.csv

Without arguments it makes 300 leaves of three species, each with four measurements, and 60 new ones
without their species, in a temporary folder. Prints what was read, the share of test leaves that
are classified without error, and the first rows of the file: the class of each new leaf and the
probability of each class.

`ImageSet.from_file` and `load_images` take .npz, .tsv, .parquet, IDX files and folders of PNG or
JPEG files in place of .csv, and `ImageSet.from_arrays(X, y)` and `load_images(X, network)` arrays.
The same in the shell: `isingprop train --data leaves.csv --label species`, `isingprop predict`.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np

import isingprop as ip

COLUMNS = ("length", "width", "teeth", "stalk")  # in mm, mm, 1 and mm
SPECIES = {"beech": (80, 50, 9, 12), "birch": (50, 35, 25, 18), "willow": (95, 18, 40, 7)}


def make_leaves(folder: Path, seed: int = 0) -> tuple[str, ...]:
    """Writes a table of leaves and one of new leaves, and returns the arguments of `main`."""
    random = np.random.default_rng(seed)
    for name, count in (("leaves", 100), ("new", 20)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS if name == "new" else (*COLUMNS, "species"))
            for species, means in SPECIES.items():
                for leaf in np.round(random.normal(1, 0.35, (count, len(means))) * means, 1):
                    table.writerow(leaf if name == "new" else (*leaf, species))

    return (*(str(folder / name) for name in ("leaves.csv", "new.csv", "out.csv")), "species")


def main(data: str, new: str, out: str, label: str | None = None) -> None:
    """Trains on `data`, and writes the classes of `new` to `out`; `label` is a table's column."""
    images = ip.ImageSet.from_file(data, label=label)
    print("\n".join(images.notes))

    network = ip.BipartiteNetwork.random(
        num_inputs=images.train_images.shape[1],
        num_hidden=40,
        num_classes=images.num_classes,
        coupling_gain=0.3,
    )
    settings = {"optimizer": "adam", "schedule": "linear", "batch_size": 10, "margin": 5}
    trainer = ip.Trainer(network, ip.ClassStates(network.readout), num_states=1, **settings)
    trainer.fit(images, epochs=30)
    print(f"test accuracy {trainer.history[-1].test_accuracy:.1%}")

    network.fit_beta(images.test_images, images.test_labels)  # for probabilities
    network.save(Path(out).with_suffix(".safetensors"))  # all that predictions need
    pixels = ip.load_images(new, network)
    rows = zip(network.predict(pixels), network.predict_proba(pixels), strict=True)
    with Path(out).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["class", *network.class_names])
        writer.writerows([network.class_names[k], *np.round(p, 4)] for k, p in rows)
    print(*Path(out).read_text().splitlines()[:4], f"... in {out}", sep="\n")


if __name__ == "__main__":
    if len(sys.argv) not in (1, 4, 5):
        sys.exit("usage: own_data.py [DATA NEW OUT [LABEL]]")
    main(*(sys.argv[1:] or make_leaves(Path(tempfile.mkdtemp(prefix="isingprop-")))))
