"""Kill -9 at random: every job that is started again ends as one that was never killed.

pytest tests/campaigns/test_kills.py --slow --rounds 500    # kills in all
"""

import csv
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.cli.cli_reproduce import contents
from helpers.cli.cli_runs import NO_DATA
from helpers.dwave.dwave_runs import NUM_CALLS, RECORD, TRAIN, on_disk
from helpers.dwave.small_service import SmallService
from helpers.forked_command import Run, commands

SEED = 22
FEW = 4  # kills in all without --rounds, too few for a figure
MOST_KILLS = 4  # of one job, which then ends
TINY = ("--num-train", "10", "--num-test", "10", "--hidden", "8", "--num-states", "1")

# Functions, and at which of their calls a job is killed at the latest.
FILES = [
    ("os", "fsync", 12),
    ("os", "open", 40),
    ("os", "fdatasync", 2),
    ("pathlib", "Path.replace", 10),
    ("pathlib", "Path.mkdir", 2),
    ("pathlib", "Path.unlink", 2),
    ("isingprop.util.files", "flush_folder", 8),
]
TRAINING = [
    ("isingprop.util.growing_file", "GrowingFile.hold", 4),
    ("isingprop.cli.run_folder", "RunFolder.save", 4),
    ("isingprop.cli.run_folder", "RunFolder.write_settings", 2),
    ("isingprop.training.trainer", "Trainer.save_checkpoint", 4),
]
CALLS = [(RECORD, f"Record.{name}", NUM_CALLS) for name in ("begin", "identify", "finish")]


@dataclass
class Kind:
    """A job, and the share of kills that befall it."""

    share: float
    command: tuple[str, ...]
    again: tuple[str, ...] | None  #: goes on with it once there is config.json
    points: list[tuple[str, str, int]]
    result: Callable[[Path], Any]
    on_chip: bool = False


def result_of_run(folder: Path) -> Any:
    """The model's bytes, and the history without times."""
    with (folder / "run" / "history.csv").open() as file:
        rows = [
            {name: value for name, value in row.items() if "seconds" not in name}
            for row in csv.DictReader(file)
        ]
    return (folder / "run" / "model.safetensors").read_bytes(), rows


RESUME = ("train", "--resume", "run")
KINDS = {
    "run": Kind(
        0.4,
        ("train", *TINY, "--sampler", "anneal", "--epochs", "4", "--out", "run"),
        RESUME,
        FILES + TRAINING,
        result_of_run,
    ),
    # From the fiftieth epoch on a checkpoint is two files.
    "long run": Kind(
        0.15,
        ("train", *TINY, "--epochs", "52", "--out", "run"),
        RESUME,
        [(*function, n if n <= 2 else 8 * n) for *function, n in FILES + TRAINING],
        result_of_run,
    ),
    "run on a chip": Kind(0.35, TRAIN, RESUME, FILES + TRAINING + CALLS, result_of_run, True),
    "figure": Kind(
        0.1,
        ("reproduce", "fig4", "--quick", "--seeds", "1", "--workers", "1", "--out", "out"),
        None,
        [*FILES, ("isingprop.paper.common.jobs", "save_tensors", 4)],
        lambda folder: contents(folder / "out"),
    ),
}


class Job:
    """A job in a folder of its own, with a service of its own where it is on a chip."""

    def __init__(self, kind: Kind, folder: Path, service: SmallService | None) -> None:
        self.kind, self.folder, self.service = kind, folder, service

    def start(self, **fate: Any) -> Run:
        """Starts it, or goes on with it."""
        begun = (self.folder / "run" / "config.json").is_file()
        if self.service is not None and not begun:
            assert self.service.paid == []
        command = self.kind.again if begun and self.kind.again else self.kind.command
        environment = NO_DATA if self.service is None else self.service.environment
        return commands().start(
            *command, cwd=self.folder, environment=environment, hasty=True, **fate
        )

    def check(self, wanted: Any) -> None:
        """Compares its result, and looks for what it has left, or paid twice."""
        assert self.kind.result(self.folder) == wanted
        assert list(self.folder.rglob(".*")) == []
        if self.service is not None:
            assert len(self.service.paid) == NUM_CALLS
            paid = sorted((each.id, True) for each in self.service.paid)
            assert sorted(on_disk(self.folder / "run" / "qpu")) == paid


@contextmanager
def job(kind: Kind, folder: Path) -> Iterator[Job]:
    folder.mkdir()
    with SmallService() if kind.on_chip else nullcontext() as service:
        yield Job(kind, folder, service)


def undisturbed(kind: Kind, folder: Path) -> tuple[Any, float]:
    """The result of a job that nothing befell, and its seconds."""
    with job(kind, folder) as whole:
        start = time.monotonic()
        running = whole.start()
        assert running.wait() == 0, running.stderr
        seconds = time.monotonic() - start
        wanted = kind.result(folder)
        whole.check(wanted)
    return wanted, seconds


def killed(started: Job, random: np.random.Generator, seconds: float) -> bool:
    """Whether a job was killed, at a random instant or call; otherwise it has come to its end."""
    if random.random() < 0.5:
        running = started.start()
        time.sleep(random.uniform(0, seconds))
        running.kill()
    else:
        module, name, number = started.kind.points[random.integers(len(started.kind.points))]
        when = ("before", "after")[random.integers(2)]
        call = int(random.integers(1, number + 1))
        running = started.start(kill_at=(module, name, call, when))

    code = running.wait()
    assert code in (0, -signal.SIGKILL), running.stderr
    return code != 0


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_job_that_is_killed_again_and_again_ends_as_if_it_was_not(tmp_path, rounds, name):
    kind = KINDS[name]
    number = round(kind.share * rounds(FEW))
    if not number:
        pytest.skip("so few rounds have none of this kind")

    random = np.random.default_rng([SEED, list(KINDS).index(name)])
    # What is imported, and found for embeddings, is there before a job is timed.
    commands().start("--help", cwd=tmp_path, environment=NO_DATA).wait()
    if kind.on_chip:
        undisturbed(kind, tmp_path / "embedded")
    wanted, seconds = undisturbed(kind, tmp_path / "undisturbed")
    kills, jobs = 0, 0

    while kills < number:
        jobs += 1
        with job(kind, tmp_path / f"job-{jobs}") as started:
            most = random.integers(1, MOST_KILLS + 1)
            while most and killed(started, random, seconds):
                kills, most = kills + 1, most - 1

            running = started.start()
            assert running.wait() == 0, running.stderr
            started.check(wanted)

    print(f"{name}: {kills} kills of {jobs} jobs of {seconds:.1f} s, all ended as one never killed")
