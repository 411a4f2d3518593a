"""One call of a dimod sampler: from its checked arguments to its samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from time import perf_counter_ns
from typing import Any, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.sampler import Sampler
from dimod.typing import SamplesLike

from isingprop.problem import IsingProblem
from isingprop.samplers.arguments import read_number
from isingprop.samplers.as_dimod.beta_schedules import SCHEDULE_TYPES
from isingprop.samplers.as_dimod.binary_minima import settled
from isingprop.samplers.as_dimod.two_colouring import Layers, layers_of
from isingprop.states import States
from isingprop.util.checks import Spins, seed_number, spin_array

_CALL_BYTES = 2**26  # max size of the fields in one call of a kernel, with one row for each read

Generator = Literal["none", "tile", "random"]


@dataclass
class BipartiteCall:
    """One call of a sampler on a model that has been divided into two layers."""

    bqm: dimod.BinaryQuadraticModel
    layers: Layers
    start: Spins  #: (R, H + O), start states
    seed: int
    interrupt_function: Callable[[], bool] | None
    clock: list[int]  #: in ns: start of the call, then start and end of sampling

    def run(self, kernel: Callable[[IsingProblem, Spins], States]) -> list[States]:
        """Returns the states of all reads, or of those before an interrupt.

        Each read is a separate problem for the kernel, with the random stream of its number.
        """
        self.clock.append(perf_counter_ns())
        rows = 1
        if self.interrupt_function is None:
            rows = max(1, _CALL_BYTES // self.layers.fields.nbytes)

        done = []
        for first in range(0, len(self.start), rows):
            start = self.start[first : first + rows, None]
            done.append(kernel(self.layers.problem(first, len(start)), start))
            if self.interrupt_function is not None and self.interrupt_function():
                break

        self.clock.append(perf_counter_ns())
        return done

    def sample_set(self, states: list[States], descended: bool, **info: object) -> dimod.SampleSet:
        """Returns the states as samples of the variables, with the energies of the model.

        `descended` says whether no single flip is to lower their energies. `info` holds what JSON,
        and so dimod's serialization, restores as it was.
        """
        spins = np.concatenate([each.spins[:, 0] for each in states])[:, self.layers.slots]
        samples = spins if self.bqm.vartype is dimod.SPIN else (spins + 1) // 2
        if descended and self.bqm.vartype is dimod.BINARY:
            samples = settled(self.bqm, samples)
        build = dimod.SampleSet.from_samples_bqm
        labelled = samples, list(self.bqm.variables)
        result: dimod.SampleSet = build(  # type: ignore[no-untyped-call]
            labelled, self.bqm, info={**_plain(info), "seed": self.seed}, sort_labels=False
        )

        times = np.diff([*self.clock, perf_counter_ns()]).tolist()
        names = "preprocessing_ns", "sampling_ns", "postprocessing_ns"
        result.info["timing"] = dict(zip(names, times, strict=True))
        return result


def _plain(value: Any) -> Any:
    """Returns a value with lists for tuples and None for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and isnan(value) else value


class BipartiteSampler(Sampler, Initialized):
    """The base class of this package's dimod samplers: their properties and common arguments."""

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The keyword arguments of `sample`, each with the names of related properties."""
        arguments = inspect.signature(self.sample).parameters.values()
        names = [argument.name for argument in arguments if argument.kind is argument.KEYWORD_ONLY]
        return {
            name: ["beta_schedule_options"] if name == "beta_schedule_type" else []
            for name in names
        }

    @property
    def properties(self) -> dict[str, tuple[str, ...]]:
        """The properties of the sampler: the types of beta schedules."""
        return {"beta_schedule_options": SCHEDULE_TYPES}

    def _call(
        self,
        bqm: dimod.BinaryQuadraticModel,
        num_reads: int | None,
        initial_states: SamplesLike | None,
        generator: Generator,
        seed: int | None,
        interrupt_function: Callable[[], bool] | None,
    ) -> BipartiteCall:
        """Checks the arguments that do not concern the schedule and prepares the call."""
        began = perf_counter_ns()
        layers = layers_of(bqm)
        reads = None if num_reads is None else read_number(num_reads)
        seed = seed_number(seed)

        short_seed = int(np.random.SeedSequence(seed).generate_state(1)[0])  # dimod takes 32 bits
        parsed = self.parse_initial_states(
            bqm, initial_states, generator, reads, short_seed
        ).initial_states
        states = parsed.record.sample.astype(np.int8)
        if parsed.variables != bqm.variables:
            states = states[:, [parsed.variables.index(v) for v in bqm.variables]]
        if bqm.vartype is dimod.BINARY:
            states = 2 * states - 1

        start = np.ones((len(states), len(layers.fields)), dtype=np.int8)
        start[:, layers.slots] = spin_array("initial_states", states, shape=states.shape)

        if interrupt_function is not None and not callable(interrupt_function):
            raise TypeError(
                f"interrupt_function must be callable or None, got {interrupt_function!r}"
            )
        return BipartiteCall(bqm, layers, start, seed, interrupt_function, [began])
