"""The command in this process on an emulated chip, and what its run folder holds."""

import csv
import gc
import sys
import warnings
from collections import namedtuple

import pytest

from isingprop.cli import main
from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

QUICK = (
    "--num-train",
    "10",
    "--num-test",
    "10",
    "--hidden",
    "6",
    "--num-states",
    "2",
    "--num-sweeps",
    "5",
)

SMALL = (*QUICK, "--epochs", "2", "--qpu-solver", "emulated:zephyr:2")

SAMPLERS = {"dwave": "forward", "dwave-reverse": "reverse", "dwave-cyclic": "cyclic"}

Done = namedtuple("Done", "code out err")


def run(capfd, monkeypatch, *arguments) -> Done:
    capfd.readouterr()
    monkeypatch.setattr(sys, "argv", ["isingprop", *map(str, arguments)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the end of a process closes what is open
        with pytest.raises(SystemExit) as stop:
            main()
        stop.value.__traceback__ = None
        code = stop.value.code or 0
        del stop
        gc.collect()
    return Done(code, *capfd.readouterr())


def answers(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "qpu").glob("*.safetensors")}


def history(folder) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [
        {k: v for k, v in row.items() if "seconds" not in k or k == "qpu_seconds"} for row in rows
    ]


class Stopping:
    """In place of EmulatedQPU.sample: raises `error` at call number `at`, before or after it was
    annealed.
    """

    def __init__(self, monkeypatch, at, error=KeyboardInterrupt, *, after=False):
        self.at, self.error, self.after, self.calls = at, error, after, 0
        true = EmulatedQPU.sample

        def sample(device, bqm, **parameters):
            self.calls += 1
            if self.calls == self.at and not self.after:
                raise self.error
            answer = true(device, bqm, **parameters)
            if self.calls == self.at:
                raise self.error
            return answer

        monkeypatch.setattr(EmulatedQPU, "sample", sample)
