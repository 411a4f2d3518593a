"""An emulated chip that counts its calls, for tests of the D-Wave sampler."""

from pathlib import Path
from typing import Any

import isingprop as ip
from helpers import oracle

H, O = 4, 3  # noqa: E741 (the field's letters)

COLD = 60.0  # inverse temperature at which nothing is excited


class CountedQPU(ip.EmulatedQPU):
    """An emulated chip that keeps the parameters of each call.

    Its model is the classical one, whose distribution at s = 1 is known: tests set its beta.
    """

    def __init__(self, topology="zephyr", size=1, model="classical", **options) -> None:
        super().__init__(topology, size, model=model, **options)
        self.asked: list[dict[str, Any]] = []

    def sample_ising(self, h, J, **parameters):
        self.asked.append(parameters)
        return super().sample_ising(h, J, **parameters)


def calls_of(sampler) -> int:
    return len(sampler.device.asked)


def starts_for(problem, num_reads=1, seed=0):
    return oracle.random_spins(len(problem), num_reads, problem.num_spins, seed=seed)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def with_arrays(problem, **changed):
    names = "couplings", "hidden_fields", "output_fields", "streams"
    arrays = {name: getattr(problem, name) for name in names} | changed
    return ip.IsingProblem(**arrays)
