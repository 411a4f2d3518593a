"""The anneal of an emulated chip: Gibbs sampling along the schedules of a request."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import dimod
import numpy as np
from dimod.core.sampler import Sampler
from dwave.samplers.sa.simulated_annealing import simulated_annealing
from dwave.system.temperatures import fluxbias_to_h
from numpy.typing import NDArray

from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.working_graph import WorkingGraph, coupler_keys
from isingprop.qpu.emulator.anneal_request import Request
from isingprop.util.checks import Doubles, Spins, real_number

_GAIN_STEPS = 8  # equal steps that replace a ramp of the gain from 0 to its largest value
_FIELDS = 1  # the random stream of fields of qubits, beside the seed
_MAX_SEED = 2**63  # dwave.samplers takes seeds from 1 to one below it

# The two ends of each coupler, as indices of fields, and its value.
Couplings: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class Noise:
    """The parameters of an emulated chip, whose meaning EmulatedQPU gives.

    Its repr is part of records and of random streams: another name would make them others.
    """

    flip_rate: float
    beta: float
    sweeps_per_us: float
    seed: int
    field_noise: float = 0.0

    def __repr__(self) -> str:
        """Returns all parameters, but field_noise only where it is not 0."""
        names = [field.name for field in fields_of(self)][: None if self.field_noise else -1]
        return f"Noise({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def fields_of_qubits(self, num_qubits: int) -> Doubles:
        """Returns the field that each qubit of a chip has by itself, (num_qubits,)."""
        random = np.random.default_rng([self.seed, _FIELDS])
        return self.field_noise * random.standard_normal(num_qubits)


class Fields(NamedTuple):
    """What acts on each of n qubits."""

    h: Doubles  #: (n,), fields that follow the gain
    fixed: Doubles | float  #: (n,), fields that do not; 0.0 where there are none

    def at(self, gain: float) -> list[float]:
        """Returns the fields at a gain of h."""
        scaled: list[float] = (gain * self.h + self.fixed).tolist()
        return scaled


class EmulatedAnneal(Sampler):
    """Anneals a problem on a chip's qubits by the parameters of a call.

    The random numbers of a request follow from the seed, the request itself with the index of its
    first read, and how often it was made before.

    Args:
        noise: parameters of the chip.
        graph: working graph of the chip.
        properties: solver properties of the chip.
    """

    def __init__(self, noise: Noise, graph: WorkingGraph, properties: Mapping[str, Any]) -> None:
        """Makes a chip to which no request was made."""
        self._noise = noise
        self._graph = graph
        self._properties = properties
        self._num_requests: Counter[bytes] = Counter()  # by digest

    @property
    def properties(self) -> dict[str, Any]:
        """The solver properties of the chip."""
        return dict(self._properties)

    @property
    def parameters(self) -> dict[str, Any]:
        """An empty dict: EmulatedQPU checks the parameters before they come here."""
        return {}

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Returns the reads of one call in order, (R, n), with the energies of `bqm`."""
        request = Request.of(parameters, self._properties)
        model: Any = bqm.change_vartype(dimod.SPIN, inplace=False)
        qubits: list[int] = sorted(model.variables)
        h, couplings, _ = model.to_numpy_vectors(variable_order=qubits, sort_indices=True)
        real_number("offset of bqm", model.offset, most=sys.float_info.max)
        self._check_fields(qubits, h, request)
        self._check_couplings(qubits, couplings)
        start = request.start(qubits)

        random = self._random(request, qubits, start, h, *couplings)
        acting = Fields(h, self._fixed_fields(request, qubits))
        spins = _anneal(acting, couplings, request, start, self._noise, random)
        spins[random.random(spins.shape) < self._noise.flip_rate] *= -1

        answer: Any = dimod.SampleSet.from_samples_bqm((spins, qubits), model)  # type: ignore[no-untyped-call]
        reads: dimod.SampleSet = answer.change_vartype(bqm.vartype, inplace=False)
        return reads

    def _check_fields(
        self, qubits: Sequence[int], fields: NDArray[np.float64], request: Request
    ) -> None:
        """Checks that fields times the smallest and the largest gain are in the chip's range.

        The fast-anneal protocol takes no fields.
        """
        if request.fast and fields.any():
            k = int(fields.astype(bool).argmax())
            raise ValueError(
                f"h must be 0 where fast_anneal is True, got {fields[k]} on {qubits[k]}"
            )

        low, high = self._limits.h_range
        gains = request.gain[:, 1]
        for scaled in (gains.min() * fields, gains.max() * fields):
            wrong = ~((scaled >= low) & (scaled <= high))
            if wrong.any():
                k = int(wrong.argmax())
                raise ValueError(
                    f"h times gain must be in [{low}, {high}], got {scaled[k]} on {qubits[k]}"
                )

    def _check_couplings(self, qubits: Sequence[int], couplings: Couplings) -> None:
        """Checks that couplings and their sums are in the chip's ranges."""
        *ends, values = couplings
        pairs = np.array(qubits, dtype=np.int64)[np.array(ends, dtype=np.int64)].T
        low, high = self._limits.j_range
        wrong = ~((values >= low) & (values <= high))
        if wrong.any():
            k = int(wrong.argmax())
            raise ValueError(
                f"J must be in [{low}, {high}], got {values[k]} on {tuple(pairs[k].tolist())}"
            )

        on_chip = np.zeros(len(self._graph.couplers))
        on_chip[np.searchsorted(coupler_keys(self._graph.couplers), coupler_keys(pairs))] = values
        self._limits.check_coupling_sums(on_chip)

    @cached_property
    def _limits(self) -> Limits:
        """The chip's limits for problems that may use all of its couplers."""
        return Limits.of(self._properties, self._graph)

    def _fixed_fields(self, request: Request, qubits: Sequence[int]) -> Doubles | float:
        """Returns the fields on qubits beside h: those of the noise and of flux biases."""
        own: Doubles | float = 0.0
        if self._noise.field_noise:
            own = self._noise.fields_of_qubits(self._properties["num_qubits"])[qubits]
        if request.flux_biases is None:
            return own
        equivalent: Doubles = fluxbias_to_h(request.flux_biases[qubits])
        return own + equivalent

    def _random(
        self, request: Request, qubits: Sequence[int], *arrays: NDArray[Any] | None
    ) -> np.random.Generator:
        """Returns a random stream for a request; the same request gets another one each time."""
        counts: tuple[Any, ...] = request.num_reads, request.reinitialize, self._noise
        if request.first_read:
            counts = (*counts, request.first_read)
        if request.fast:
            counts = (*counts, "fast")

        content = hashlib.sha256(repr(counts).encode())
        if request.flux_biases is not None:
            content.update(request.flux_biases.tobytes())
        for array in (np.array(qubits), request.anneal, request.gain, *arrays):
            content.update(
                b"-" if array is None else len(array).to_bytes(8, "little") + array.tobytes()
            )
        digest = content.digest()
        self._num_requests[digest] += 1
        return np.random.default_rng([self._num_requests[digest], *digest])


def _anneal(
    acting: Fields,
    couplings: Couplings,
    request: Request,
    start: Spins | None,
    noise: Noise,
    random: np.random.Generator,
) -> Spins:
    """Returns the spins at the end of each anneal, before they are read out: (R, n)."""
    shape = request.num_reads, len(acting.h)
    if start is None:
        states = random.choice(np.array([-1, 1], np.int8), shape)
        return _follow(states, acting, couplings, request, noise, random)
    if request.reinitialize:
        states = np.tile(start, (shape[0], 1))
        return _follow(states, acting, couplings, request, noise, random)

    # Each read starts where the last one ended.
    reads = np.empty(shape, np.int8)
    last = start[None].copy()
    for read in reads:
        read[:] = _follow(last, acting, couplings, request, noise, random)[0]
    return reads


def _follow(
    states: Spins,
    acting: Fields,
    couplings: Couplings,
    request: Request,
    noise: Noise,
    random: np.random.Generator,
) -> Spins:
    """Takes states (R, n) from the begin of the schedules to their end, in place."""
    # SimulatedAnnealingSampler.sample() would take longer than the sweeps of a segment; its kernel
    # reads lists twice as fast as arrays.
    graph = [array.tolist() for array in couplings]
    for gain, betas in _segments(request, noise):
        seed = int(random.integers(1, _MAX_SEED))
        # Gibbs updates, since Metropolis's rule would flip a free spin in every sweep.
        simulated_annealing(
            len(states), acting.at(gain), *graph, 1, betas, seed, states, False, "Gibbs"
        )
    return states


def _segments(request: Request, noise: Noise) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Yields the schedules as segments in which the gain of h is constant.

    A segment is its gain and the inverse temperatures of its sweeps, (n,).
    """
    end = request.anneal[-1, 0]
    num_sweeps = max(1, round(noise.sweeps_per_us * end))
    times = (np.arange(num_sweeps) + 0.5) * (end / num_sweeps)
    betas = noise.beta * np.interp(times, *request.anneal.T)

    step = np.abs(request.gain[:, 1]).max() / _GAIN_STEPS
    levels = np.rint(np.interp(times, *request.gain.T) / step) if step else np.zeros(num_sweeps)
    for part in np.split(np.arange(num_sweeps), np.flatnonzero(np.diff(levels)) + 1):
        yield step * levels[part[0]], betas[part]
