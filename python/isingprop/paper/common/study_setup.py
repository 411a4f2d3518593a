"""The settings that all studies of one command share: data, seeds, size, and the output folder."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from isingprop.data.load import ImageSet, load_data
from isingprop.util.files import write_atomically

_DPI = 120  # resolution of PNG files
_PAPER_IMAGES = 1000
_QUICK_IMAGES = 300


@dataclass(frozen=True)
class Setup:
    """The settings that determine the numbers of a study, and the folder for its files.

    Args:
        data: "mnist", "fashion-mnist" or "digits".
        data_dir: folder of IDX files, or None.
        num_seeds: number of repetitions, each with a network and random numbers of its own.
        seed: seed of the first repetition; the others use the next integers.
        quick: whether to run a small version that only shows that everything works.
        out: folder for numbers, pictures and reports.
    """

    data: str
    data_dir: str | None
    num_seeds: int
    seed: int
    quick: bool
    out: Path

    @property
    def seeds(self) -> range:
        """Returns the seeds of all repetitions."""
        return range(self.seed, self.seed + self.num_seeds)

    @property
    def num_train(self) -> int:
        """Returns the number of training images; the paper has 1,000."""
        return _QUICK_IMAGES if self.quick else _PAPER_IMAGES

    @property
    def train_sizes(self) -> tuple[int, int]:
        """Returns two numbers of training images: `num_train`, and one to compare it with."""
        if self.quick:
            return self.num_train, _QUICK_IMAGES // 3
        # The digits have 1,437 training images in all.
        return self.num_train, 1437 if self.data == "digits" else 10_000

    def load_data(self, num_train: int | None = None) -> ImageSet:
        """Loads training images, equally many of each class, and all test images."""
        num_train = self.num_train if num_train is None else num_train
        return _load(self.data, self.data_dir, num_train)

    def load_all(self) -> ImageSet:
        """Loads all training and test images of the data set."""
        return _load(self.data, self.data_dir, None)

    def facts(self, images: ImageSet) -> dict[str, Any]:
        """Returns entries for a JSON file: the data and seeds behind its numbers."""
        return {
            "data": images.name,
            "num_train": len(images.train_labels),
            "num_test": len(images.test_labels),
            "quick": self.quick,
            "seeds": self.num_seeds,
            "first_seed": self.seed,
        }

    @property
    def is_papers(self) -> bool:
        """Returns whether numbers may be compared with the paper's: a full run on MNIST."""
        return self.data == "mnist" and not self.quick

    def write_csv(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Writes `out`/name.csv, one line a row; columns are the keys of the first row."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.out / f"{name}.csv", text.getvalue().encode())

    def write_json(self, name: str, numbers: dict[str, Any]) -> None:
        """Writes `out`/name.json, indented."""
        write_atomically(self.out / f"{name}.json", json.dumps(numbers, indent=2).encode() + b"\n")

    def write_report(self, name: str, text: str, papers: str | None = "1,000 MNIST images") -> None:
        """Writes `out`/name.md.

        Args:
            name: name of the study.
            text: the report in Markdown.
            papers: the data behind the paper's numbers. A run on other data, or a quick run, starts
                with a warning that names it. None leaves the warning out.
        """
        write_atomically(self.out / f"{name}.md", (self._note(papers) + text).encode())

    def _note(self, papers: str | None) -> str:
        """Returns the warning at the top of a report; empty if none is needed."""
        if papers is None:
            warning = (
                f"*A quick run on {self.data}: it shows that all works, and its numbers mean "
                "little.*\n\n"
            )
            return warning if self.quick else ""

        if self.is_papers:
            return ""
        run = "A quick run on" if self.quick else "On"
        return (
            f"*{run} {self.data}: its numbers are not to be held against the paper's, which are of "
            f"{papers}.*\n\n"
        )

    def write_picture(self, name: str, figure: Any, shown: str, data: str) -> None:
        """Writes a figure to `out`/name.png and name.svg; equal figures give equal bytes.

        Args:
            name: name of the files.
            figure: a matplotlib Figure without a title.
            shown: what the figure shows, and what its bars or bands are; the title begins with it.
            data: the data behind it, see `described`; seeds are added.
        """
        import matplotlib

        seeds = f"{self.num_seeds} seed{'s' if self.num_seeds > 1 else ''}"
        run = ", quick run" if self.quick else ""
        figure.suptitle(f"{shown}\n{data}, {seeds}{run}", fontsize=11, wrap=True)

        # Dates, versions and random identifiers would make files differ from run to run.
        for kind, metadata in (
            ("png", {"Software": None}),
            ("svg", {"Date": None, "Creator": None}),
        ):
            content = io.BytesIO()
            with matplotlib.rc_context({"svg.hashsalt": "isingprop"}):
                figure.savefig(content, format=kind, dpi=_DPI, metadata=metadata)
            write_atomically(self.out / f"{name}.{kind}", content.getvalue())


def described(images: ImageSet) -> str:
    """Returns the name of the data and the number of training images, for titles of pictures."""
    return f"{images.name}, {len(images.train_labels):,} training images"


def select_images(images: ImageSet, train: NDArray[Any], test: NDArray[Any]) -> ImageSet:
    """Returns some of the images, selected by masks or by row numbers."""
    return replace(
        images,
        train_images=images.train_images[train],
        train_labels=images.train_labels[train],
        test_images=images.test_images[test],
        test_labels=images.test_labels[test],
    )


@lru_cache(maxsize=4)  # every study of a command loads the same few sets
def _load(name: str, data_dir: str | None, num_train: int | None) -> ImageSet:
    return load_data(name, data_dir=data_dir, num_train=num_train)
