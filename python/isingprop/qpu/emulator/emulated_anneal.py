"""How an emulated chip anneals: a request's schedules, and Gibbs sampling along them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import dimod
import numpy as np
from dimod.core.sampler import Sampler
from dwave.samplers.sa.simulated_annealing import simulated_annealing
from numpy.typing import NDArray

from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.schedules import (
    check_anneal_schedule,
    check_annealing_time,
    check_h_gain_schedule,
)
from isingprop.qpu.chip.working_graph import WorkingGraph, coupler_keys
from isingprop.util.checks import Spins, whole_number

_GAIN_STEPS = 8  # so many equal steps stand for a ramp of the gain from 0 to its largest value
_SEEDS = 2**63  # of dwave.samplers, from 1

# Two ends of each coupler, indices of fields, and its value.
Couplings: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class Noise:
    """What an emulated chip is like: see EmulatedQPU."""

    flip_rate: float
    beta: float
    sweeps_per_us: float
    seed: int


@dataclass(frozen=True)
class Request:
    """What the parameters of a call ask a chip for."""

    num_reads: int
    anneal: NDArray[np.float64]  # (P, 2): time in us, s
    gain: NDArray[np.float64]  # (P, 2): time in us, g
    initial: Mapping[int, int] | None
    reinitialize: bool

    @classmethod
    def of(cls, parameters: Mapping[str, Any], properties: Mapping[str, Any]) -> Request:
        """Refuses what a chip with these properties would refuse, and auto_scale."""
        scale, mode = parameters.get("auto_scale", True), parameters.get("answer_mode", "raw")
        if scale is not False:
            raise ValueError(
                f"auto_scale must be False, as the emulation does not scale, got {scale!r}"
            )
        if mode not in ("raw", "histogram"):
            raise ValueError(f"answer_mode must be raw or histogram, got {mode!r}")
        least, most = properties["num_reads_range"]
        num_reads = whole_number(
            "num_reads", parameters.get("num_reads", 1), least=least, most=most
        )
        anneal = _anneal_schedule(
            parameters.get("anneal_schedule"), parameters.get("annealing_time"), properties
        )
        end = float(anneal[-1, 0])
        gain = check_h_gain_schedule(
            parameters.get("h_gain_schedule", [[0, 1], [end, 1]]), end, properties
        )
        initial = parameters.get("initial_state")
        begin = anneal[0, 1]
        if (begin == 1) != bool(initial):
            wanted, got = ("given", "none") if begin == 1 else ("None", "one")
            raise ValueError(
                f"initial_state must be {wanted} for a schedule from s = {begin:g}, got {got}"
            )
        return cls(
            num_reads,
            anneal,
            np.array(gain),
            initial,
            bool(parameters.get("reinitialize_state", True)),
        )

    def start(self, qubits: Sequence[int]) -> Spins | None:
        """The initial state of these qubits, (n,)."""
        if self.initial is None:
            return None
        state = [self.initial.get(qubit) for qubit in qubits]
        for qubit, spin in zip(qubits, state, strict=True):
            if spin not in (-1, 1):
                raise ValueError(
                    f"initial_state must be -1 or +1 on each qubit used, got {spin} on qubit {qubit}"
                )
        return np.array(state, dtype=np.int8)


class EmulatedAnneal(Sampler):
    """Anneals a problem on a chip's qubits as the parameters of a call say.

    The noise of a request follows from the seed, from the request itself and from how often it was made before.

    Args:
        noise: of the chip.
        graph: of the chip.
        properties: of the chip, as a solver lists them.
    """

    def __init__(self, noise: Noise, graph: WorkingGraph, properties: Mapping[str, Any]) -> None:
        """See the class."""
        self._noise = noise
        self._graph = graph
        self._properties = properties
        self._asked: Counter[bytes] = Counter()

    @property
    def properties(self) -> dict[str, Any]:
        """Those of the chip."""
        return dict(self._properties)

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the chip, which checks them."""
        return {}

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """One read after another, (R, n), with energies of the whole problem."""
        request = Request.of(parameters, self._properties)
        model: Any = bqm.change_vartype(dimod.SPIN, inplace=False)
        qubits: list[int] = sorted(model.variables)
        fields, couplings, _ = model.to_numpy_vectors(variable_order=qubits, sort_indices=True)
        self._check_ranges(qubits, fields, couplings, request.gain[:, 1])
        start = request.start(qubits)
        random = self._random(request, qubits, start, fields, *couplings)
        spins = _anneal(fields, couplings, request, start, self._noise, random)
        spins[random.random(spins.shape) < self._noise.flip_rate] *= -1
        answer: Any = dimod.SampleSet.from_samples_bqm((spins, qubits), model)  # type: ignore[no-untyped-call]
        reads: dimod.SampleSet = answer.change_vartype(bqm.vartype, inplace=False)
        return reads

    def _check_ranges(
        self,
        qubits: Sequence[int],
        fields: NDArray[np.float64],
        couplings: Couplings,
        gains: NDArray[np.float64],
    ) -> None:
        least, most = self._limits.h_range
        for fields_then in (gains.min() * fields, gains.max() * fields):
            wrong = ~((fields_then >= least) & (fields_then <= most))
            if wrong.any():
                k = int(wrong.argmax())
                raise ValueError(
                    f"h times gain must be in [{least}, {most}], got {fields_then[k]} on {qubits[k]}"
                )
        *ends, values = couplings
        pairs = np.array(qubits, dtype=np.int64)[np.array(ends, dtype=np.int64)].T
        least, most = self._limits.j_range
        wrong = ~((values >= least) & (values <= most))
        if wrong.any():
            k = int(wrong.argmax())
            raise ValueError(
                f"J must be in [{least}, {most}], got {values[k]} on {tuple(pairs[k].tolist())}"
            )
        on_chip = np.zeros(len(self._graph.couplers))
        on_chip[np.searchsorted(coupler_keys(self._graph.couplers), coupler_keys(pairs))] = values
        self._limits.check_coupling_sums(on_chip)

    @cached_property
    def _limits(self) -> Limits:
        return Limits.of(self._properties, self._graph)

    def _random(
        self, request: Request, qubits: Sequence[int], *arrays: NDArray[Any] | None
    ) -> np.random.Generator:
        """The stream of this request, the next time it is made another one."""
        content = hashlib.sha256(
            repr((request.num_reads, request.reinitialize, self._noise)).encode()
        )
        for array in (np.array(qubits), request.anneal, request.gain, *arrays):
            content.update(
                b"-" if array is None else len(array).to_bytes(8, "little") + array.tobytes()
            )
        digest = content.digest()
        self._asked[digest] += 1
        return np.random.default_rng([self._asked[digest], *digest])


def _anneal(
    fields: NDArray[np.float64],
    couplings: Couplings,
    request: Request,
    start: Spins | None,
    noise: Noise,
    random: np.random.Generator,
) -> Spins:
    """(R, n) spins before they are read out."""
    shape = request.num_reads, len(fields)
    if start is None or request.reinitialize:
        states = (
            random.choice(np.array([-1, 1], np.int8), shape)
            if start is None
            else np.tile(start, (shape[0], 1))
        )
        return _follow(states, fields, couplings, request, noise, random)
    reads = np.empty(shape, np.int8)
    last = start[None].copy()
    for read in reads:
        read[:] = _follow(last, fields, couplings, request, noise, random)[0]
    return reads


def _follow(
    states: Spins,
    fields: NDArray[np.float64],
    couplings: Couplings,
    request: Request,
    noise: Noise,
    random: np.random.Generator,
) -> Spins:
    """Takes (R, n) spins from the begin of the schedules to their end, in place."""
    # Not through SimulatedAnnealingSampler.sample(), which takes longer than the sweeps of a segment; and as lists,
    # which it reads twice as fast as arrays.
    graph = [array.tolist() for array in couplings]
    for gain, betas in _segments(request, noise):
        scaled, seed = (gain * fields).tolist(), int(random.integers(1, _SEEDS))
        # Gibbs, as Metropolis's rule turns a free spin over for ever.
        simulated_annealing(len(states), scaled, *graph, 1, betas, seed, states, False, "Gibbs")
    return states


def _segments(request: Request, noise: Noise) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """The schedules as sweeps, (n,) inverse temperatures at a time, with a gain of h that all of them share."""
    end = request.anneal[-1, 0]
    num_sweeps = max(1, round(noise.sweeps_per_us * end))
    times = (np.arange(num_sweeps) + 0.5) * (end / num_sweeps)
    betas = noise.beta * np.interp(times, *request.anneal.T)
    step = np.abs(request.gain[:, 1]).max() / _GAIN_STEPS
    levels = np.rint(np.interp(times, *request.gain.T) / step) if step else np.zeros(num_sweeps)
    for part in np.split(np.arange(num_sweeps), np.flatnonzero(np.diff(levels)) + 1):
        yield step * levels[part[0]], betas[part]


def _anneal_schedule(
    schedule: object, time: float | None, properties: Mapping[str, Any]
) -> NDArray[np.float64]:
    if schedule is None:
        end = properties["default_annealing_time"] if time is None else time
        end = check_annealing_time(end, tuple(properties["annealing_time_range"]))
        return np.array([[0, 0], [end, 1]], dtype=np.float64)
    if time is not None:
        raise ValueError(f"annealing_time must be None where anneal_schedule is given, got {time}")
    return np.array(check_anneal_schedule(schedule, properties))
