"""One call of a dimod sampler: from its checked arguments to its samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from time import perf_counter_ns
from typing import Any, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.sampler import Sampler
from dimod.typing import SamplesLike

from isingprop.samplers.arguments import read_number
from isingprop.samplers.as_dimod.beta_schedules import SCHEDULE_TYPES
from isingprop.samplers.as_dimod.binary_minima import settled
from isingprop.samplers.as_dimod.model_kernels import Reads, Sampled
from isingprop.samplers.as_dimod.spin_model import SpinModel, spin_model_of
from isingprop.util.checks import Doubles, Spins, seed_number, spin_array

_CALL_BYTES = 2**26  # max size of the fields of a dense model, with one row for each read

Generator = Literal["none", "tile", "random"]


@dataclass
class SamplerCall:
    """One call of a sampler on a model."""

    bqm: dimod.BinaryQuadraticModel
    model: SpinModel
    num_reads: int
    start: Spins | None  #: (R, N), start states; None for random ones of the kernel
    seed: int
    interrupt_function: Callable[[], bool] | None
    clock: list[int]  #: in ns: start of the call, then start and end of sampling

    def run(self, kernel: Callable[[Reads], Sampled]) -> Sampled:
        """Returns the samples of all reads, or of those before an interrupt."""
        self.clock.append(perf_counter_ns())
        done = []
        for reads in self._parts():
            done.append(kernel(reads))
            if self.interrupt_function is not None and self.interrupt_function():
                break

        self.clock.append(perf_counter_ns())
        if len(done) == 1:
            return done[0]
        spins, energies, _, ladders = zip(*done, strict=True)
        joined = {name: np.concatenate([each[name] for each in ladders]) for name in ladders[0]}
        return Sampled(np.concatenate(spins), np.concatenate(energies), done[0].range, joined)

    def _parts(self) -> Iterator[Reads]:
        """Yields the reads of one call of a kernel after another."""
        most = self.num_reads
        if self.interrupt_function is not None:
            most = 1
        elif self.model.layers is not None:
            most = max(1, _CALL_BYTES // self.model.fields.nbytes)
        for first in range(0, self.num_reads, most):
            count = min(most, self.num_reads - first)
            start = None if self.start is None else self.start[first : first + count]
            yield Reads(first, count, start)

    def sample_set(self, sampled: Sampled, descended: bool, **info: object) -> dimod.SampleSet:
        """Returns spins as samples of the variables, with the energies of the model.

        `descended` says whether no single flip is to lower the energy of a BINARY model. `info`
        holds what JSON, and so dimod's serialization, restores as it was.
        """
        samples = sampled.spins[:, : self.bqm.num_variables]
        energies = sampled.energies + self.model.offset
        if self.bqm.vartype is dimod.BINARY:
            samples = (samples > 0).astype(np.int8)
            if descended:
                self._settle(samples, energies)

        labelled = samples, list(self.bqm.variables)
        build = dimod.SampleSet.from_samples
        result: dimod.SampleSet = build(  # type: ignore[no-untyped-call]
            labelled,
            self.bqm.vartype,
            energies,
            info={**_plain(info), "seed": self.seed},
            sort_labels=False,
        )

        times = np.diff([*self.clock, perf_counter_ns()]).tolist()
        names = "preprocessing_ns", "sampling_ns", "postprocessing_ns"
        result.info["timing"] = dict(zip(names, times, strict=True))
        return result

    def _settle(self, samples: Spins, energies: Doubles) -> None:
        """Settles samples of a BINARY model in place, and replaces the energies of the changed."""
        for read in settled(self.bqm, samples):
            energies[read] = self.bqm.energies((samples[read], self.bqm.variables))[0]


def _plain(value: Any) -> Any:
    """Returns a value with lists for tuples and None for NaN and infinity, which are no JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


class ModelSampler(Sampler, Initialized):
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
    ) -> SamplerCall:
        """Checks the arguments that do not concern the schedule and prepares the call."""
        began = perf_counter_ns()
        model = spin_model_of(bqm)
        reads = None if num_reads is None else read_number(num_reads)
        seed = seed_number(seed)

        start = None
        if initial_states is not None or generator != "random" or model.layers is not None:
            start = self._start_states(bqm, initial_states, generator, reads, seed)
        if interrupt_function is not None and not callable(interrupt_function):
            raise TypeError(
                f"interrupt_function must be callable or None, got {interrupt_function!r}"
            )

        count = (reads or 1) if start is None else len(start)
        if bqm.num_variables == 0:
            start = None
        return SamplerCall(bqm, model, count, start, seed, interrupt_function, [began])

    def _start_states(
        self,
        bqm: dimod.BinaryQuadraticModel,
        initial_states: SamplesLike | None,
        generator: Generator,
        num_reads: int | None,
        seed: int,
    ) -> Spins:
        """Returns start states as spins (R, N), in the order of the variables."""
        variables = list(bqm.variables)
        # dimod would compute energies, which take long: those of a model without biases do not.
        bare = dimod.BinaryQuadraticModel(bqm.vartype)
        bare.add_linear_from(dict.fromkeys(variables, 0))
        short_seed = int(np.random.SeedSequence(seed).generate_state(1)[0])  # dimod takes 32 bits
        parsed = self.parse_initial_states(
            bare, initial_states, generator, num_reads, short_seed
        ).initial_states

        states = parsed.record.sample.astype(np.int8)
        if parsed.variables != bqm.variables:
            states = states[:, [parsed.variables.index(v) for v in variables]]
        if bqm.vartype is dimod.BINARY:
            states = 2 * states - 1
        return spin_array("initial_states", states, shape=states.shape)
