"""dimod samplers that run on this package's kernels, with the parameter names of dwave-samplers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.sampler import Sampler
from dimod.typing import SamplesLike
from numpy.typing import ArrayLike

from isingprop.problem import IsingProblem
from isingprop.samplers.annealing import anneal
from isingprop.samplers.arguments import (
    RELATIVE_BETA_RANGE,
    BetaRange,
    geometric,
    read_number,
    sweep_number,
)
from isingprop.samplers.tempering import RELATIVE_LADDER, Tempering, rung_number, temper
from isingprop.samplers.two_colouring import Layers, layers_of
from isingprop.states import States
from isingprop.util.checks import Doubles, Spins, float_array, seed_number, spin_array

_SCHEDULES = ("linear", "geometric", "custom")
_NUM_SWEEPS = 1000  # where none is given, as in dwave-samplers
_CALL_BYTES = 2**26  # of the fields in one call of a kernel, a row for each read
_COLDEST = (
    2.0**100
)  # times 1 / (largest bias): still a float in single precision, and nothing moves

ScheduleType = Literal["linear", "geometric", "custom"]
Generator = Literal["none", "tile", "random"]


class _BipartiteSampler(Sampler, Initialized):
    """What both samplers share."""

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The keyword arguments of `sample`, each with the properties that bear on it."""
        arguments = inspect.signature(self.sample).parameters.values()
        names = [argument.name for argument in arguments if argument.kind is argument.KEYWORD_ONLY]
        return {
            name: ["beta_schedule_options"] if name == "beta_schedule_type" else []
            for name in names
        }

    @property
    def properties(self) -> dict[str, tuple[str, ...]]:
        """The kinds of schedule."""
        return {"beta_schedule_options": _SCHEDULES}

    def _call(
        self,
        bqm: dimod.BinaryQuadraticModel,
        num_reads: int | None,
        initial_states: SamplesLike | None,
        generator: Generator,
        seed: int | None,
        interrupt_function: Callable[[], bool] | None,
    ) -> _Call:
        """Checks the arguments that are not about the schedule."""
        began = perf_counter_ns()
        layers = layers_of(bqm)
        reads = None if num_reads is None else read_number(num_reads)
        seed = seed_number(seed)
        draw = int(np.random.SeedSequence(seed).generate_state(1)[0])  # dimod takes 32 bits
        parsed = self.parse_initial_states(
            bqm, initial_states, generator, reads, draw
        ).initial_states
        columns = [parsed.variables.index(v) for v in bqm.variables]
        states = parsed.record.sample[:, columns].astype(np.int8)
        if bqm.vartype is dimod.BINARY:
            states = 2 * states - 1
        start = np.ones((len(states), len(layers.fields)), dtype=np.int8)
        start[:, layers.slots] = spin_array("initial_states", states, shape=states.shape)
        if interrupt_function is not None and not callable(interrupt_function):
            raise TypeError(
                f"interrupt_function must be callable or None, got {interrupt_function!r}"
            )
        return _Call(bqm, layers, start, seed, interrupt_function, [began])


class AnnealingSampler(_BipartiteSampler):
    """Simulated annealing as a dimod sampler, for every binary quadratic model whose graph is two-colourable.

        E(s) = offset + sum_i h_i s_i + sum_ij J_ij s_i s_j,   to be minimised

    Layered networks, trees and square or cubic lattices are two-colourable: no two spins of one colour couple. The
    colours are found here, and the spins of one are updated together.

    It takes the place of dwave.samplers.SimulatedAnnealingSampler and differs from it in this: a read ends with a
    zero-temperature descent, so that no single flip lowers its energy; without beta_range, beta follows the rule of
    isingprop.Annealing over the spins on which anything acts; read r depends on r and the seed, not on num_reads; a
    seed has up to 64 bits; arguments are given by name, and there is at least one sweep; num_sweeps_per_beta,
    randomize_order and proposal_acceptance_criteria are unknown to it.

    The couplings of H spins of one colour with O of the other are kept as a dense matrix, 8 bytes x H x O, and a second
    time in the kernel, without the empty ends of its rows and columns. Variables are ordered so that these are long.

    Example:
        >>> bqm = dimod.BinaryQuadraticModel({"a": 0.5}, {("a", "b"): -1.0, ("b", "c"): 1.0}, 0.0, "SPIN")
        >>> samples = AnnealingSampler().sample(bqm, num_reads=5, seed=0)
        >>> print(samples.first.energy)
        -2.5

    References:
        Kirkpatrick, Gelatt & Vecchi 1983, doi:10.1126/science.220.4598.671.
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        initial_states: SamplesLike | None = None,
        initial_states_generator: Generator = "random",
        seed: int | None = None,
        interrupt_function: Callable[[], bool] | None = None,
        num_sweeps: int | None = None,
        beta_range: Sequence[float] | None = None,
        beta_schedule_type: ScheduleType = "geometric",
        beta_schedule: ArrayLike | None = None,
        **kwargs: object,
    ) -> dimod.SampleSet:
        """Anneals num_reads times.

        Args:
            bqm: SPIN or BINARY, with finite biases.
            num_reads: R >= 1; by default as many as there are initial states, or 1.
            initial_states: samples to start from, one for each read.
            initial_states_generator: what is done for want of initial states: "none" refuses, "tile" repeats them,
                "random" draws more.
            seed: 0 ... 2^64 - 1; None draws one (it is in `info`).
            interrupt_function: called after each read; when it returns True, the reads so far are returned.
            num_sweeps: sweeps per read, 1 to 10 million; by default 1000, or one for each beta of a custom schedule.
            beta_range: (first, last) inverse temperature in 1 / (unit of the biases of spins -1 and +1), >= 0.
            beta_schedule_type: "geometric" (beta_range must be above 0) or "linear" from the first to the last beta,
                one for each sweep; a single sweep has the last. Or "custom".
            beta_schedule: with "custom", the beta >= 0 of each sweep.
            **kwargs: ignored with a warning.

        Returns:
            One row for each read, energies as `bqm` gives them. `info` has beta_range, beta_schedule_type, seed and
            timing (preprocessing_ns, sampling_ns, postprocessing_ns).

        Raises:
            ValueError: for a graph that is not two-colourable, biases that are not finite, and bad arguments.
            KeyboardInterrupt: on Ctrl-C.
        """
        self.remove_unknown_kwargs(**kwargs)
        call = self._call(
            bqm, num_reads, initial_states, initial_states_generator, seed, interrupt_function
        )
        sweeps = sweep_number(_NUM_SWEEPS if num_sweeps is None else num_sweeps)
        count = ("num_sweeps", num_sweeps, sweeps)
        rule = RELATIVE_BETA_RANGE
        ends, betas = _schedule(
            call.layers, beta_schedule_type, beta_schedule, beta_range, rule, count
        )
        states = call.run(
            lambda problem, start: anneal(problem, betas, seed=call.seed, initial=start)
        )
        return call.sample_set(states, beta_range=ends, beta_schedule_type=beta_schedule_type)


class TemperingSampler(_BipartiteSampler):
    """Parallel tempering as a dimod sampler, for every binary quadratic model whose graph is two-colourable.

    Replicas at a ladder of temperatures swap their places, see isingprop.Tempering; a read is the lowest state that any
    of them was in, after a zero-temperature descent. Everything else is as in AnnealingSampler, but the schedule of
    inverse temperatures is the ladder, from the hot to the cold end. A read costs num_betas times an annealing read
    with the same num_sweeps. Many spins want many rungs: where swap_acceptance is near 0, replicas do not travel.

    Example:
        >>> bqm = dimod.BinaryQuadraticModel({"a": 0.5}, {("a", "b"): -1.0, ("b", "c"): 1.0}, 0.0, "SPIN")
        >>> samples = TemperingSampler().sample(bqm, num_sweeps=20, num_betas=4, num_reads=5, seed=0)
        >>> print(samples.first.energy)
        -2.5
        >>> len(samples.info["swap_acceptance"]), len(samples.info["swap_acceptance"][0])
        (5, 3)

    References:
        Hukushima & Nemoto 1996, doi:10.1143/JPSJ.65.1604.
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        initial_states: SamplesLike | None = None,
        initial_states_generator: Generator = "random",
        seed: int | None = None,
        interrupt_function: Callable[[], bool] | None = None,
        num_sweeps: int | None = None,
        num_betas: int | None = None,
        adaptive: bool = False,
        beta_range: Sequence[float] | None = None,
        beta_schedule_type: ScheduleType = "geometric",
        beta_schedule: ArrayLike | None = None,
        **kwargs: object,
    ) -> dimod.SampleSet:
        """Tempers num_reads times.

        The arguments are those of AnnealingSampler.sample, but for these:

        Args:
            initial_states: all replicas of a read start from its one.
            num_sweeps: sweeps of each replica, 1 to 10 million, by default 1000.
            num_betas: rungs of the ladder, 1 to 1,000, by default as in isingprop.Tempering, or those of a custom one.
            adaptive: move the inner rungs during the first half of the sweeps, to even out the rejection of swaps.
            beta_range: (first, last) inverse temperature of the ladder, rising and above 0.
            beta_schedule: with "custom", the ladder.

        Returns:
            As AnnealingSampler.sample; `info` has besides, for each read, betas (R, num_betas), swap_acceptance
            (R, num_betas - 1) and round_trips (R,), as isingprop.Tempering explains them.
        """
        self.remove_unknown_kwargs(**kwargs)
        call = self._call(
            bqm, num_reads, initial_states, initial_states_generator, seed, interrupt_function
        )
        sweeps = sweep_number(_NUM_SWEEPS if num_sweeps is None else num_sweeps)
        settings = Tempering(sweeps, num_betas=num_betas, adaptive=adaptive)
        count = ("num_betas", num_betas, settings.num_betas or rung_number(bqm.num_variables))
        rule = RELATIVE_LADDER
        ends, ladder = _schedule(
            call.layers, beta_schedule_type, beta_schedule, beta_range, rule, count
        )
        if len(ladder) > 1 and not (ladder[0] > 0 and (np.diff(ladder) > 0).all()):
            name, given = (
                ("beta_range", beta_range)
                if beta_schedule is None
                else ("beta_schedule", beta_schedule)
            )
            raise ValueError(f"{name} must rise from above 0, got {given!r}")

        def run(problem: IsingProblem, start: Spins) -> States:
            return temper(
                problem, ladder, num_sweeps=sweeps, adaptive=adaptive, seed=call.seed, initial=start
            )

        states = call.run(run)
        names = "betas", "swap_acceptance", "round_trips"
        betas, acceptance, trips = (
            np.concatenate([each.info[name][:, 0] for each in states]) for name in names
        )
        info = np.ldexp(betas, -call.layers.exponent).tolist(), acceptance.tolist(), trips.tolist()
        about = dict(zip(names, info, strict=True))
        return call.sample_set(
            states, beta_range=ends, beta_schedule_type=beta_schedule_type, **about
        )


@dataclass
class _Call:
    """One call of a sampler, from its checked arguments to its samples."""

    bqm: dimod.BinaryQuadraticModel
    layers: Layers
    start: Spins  # (R, H + O)
    seed: int
    interrupt_function: Callable[[], bool] | None
    clock: list[int]  # ns, when the call and then the sampling began and ended

    def run(self, kernel: Callable[[IsingProblem, Spins], States]) -> list[States]:
        """The states of all reads, or of those before the interrupt; each is a problem of its own to the kernel."""
        self.clock.append(perf_counter_ns())
        rows = (
            max(1, _CALL_BYTES // self.layers.fields.nbytes)
            if self.interrupt_function is None
            else 1
        )
        done = []
        for first in range(0, len(self.start), rows):
            start = self.start[first : first + rows, None]
            done.append(kernel(self.layers.problem(first, len(start)), start))
            if self.interrupt_function is not None and self.interrupt_function():
                break
        self.clock.append(perf_counter_ns())
        return done

    def sample_set(self, states: list[States], **info: object) -> dimod.SampleSet:
        """The samples of the variables in their order, with the energies of the model."""
        spins = np.concatenate([each.spins[:, 0] for each in states])[:, self.layers.slots]
        samples = spins if self.bqm.vartype is dimod.SPIN else (spins + 1) // 2
        build = dimod.SampleSet.from_samples_bqm
        labelled = samples, list(self.bqm.variables)
        result: dimod.SampleSet = build(  # type: ignore[no-untyped-call]
            labelled, self.bqm, info={**info, "seed": self.seed}, sort_labels=False
        )
        times = np.diff([*self.clock, perf_counter_ns()]).tolist()
        names = "preprocessing_ns", "sampling_ns", "postprocessing_ns"
        result.info["timing"] = dict(zip(names, times, strict=True))
        return result


def _schedule(
    layers: Layers,
    kind: ScheduleType,
    custom: ArrayLike | None,
    beta_range: Sequence[float] | None,
    rule: BetaRange,
    count: tuple[str, int | None, int],
) -> tuple[tuple[float, float], Doubles]:
    """The (first, last) inverse temperature, and all of them in units of the layers.

    `rule` is the range in units of 1 / (rms local field). `count` is the argument that says how many: its name, what
    was given, and what that means without `custom`.
    """
    if kind not in _SCHEDULES:
        raise ValueError(f"beta_schedule_type must be one of {', '.join(_SCHEDULES)}, got {kind!r}")
    if (custom is not None) != (kind == "custom"):
        must = "given" if kind == "custom" else "None"
        raise ValueError(
            f"beta_schedule must be {must} with beta_schedule_type {kind!r}, got {custom!r}"
        )
    ends = np.array(rule) / layers.rms_field
    if beta_range is not None:
        ends = _betas("beta_range", beta_range, 2, layers.exponent)
    if custom is not None:
        betas = _betas("beta_schedule", custom, None, layers.exponent)
        if count[1] not in (None, len(betas)):
            raise ValueError(
                f"{count[0]} must be None or {len(betas)}, as many as beta_schedule has, got {count[1]}"
            )
        if beta_range is not None and (ends != betas[[0, -1]]).any():
            raise ValueError(
                f"beta_range must be None or the ends of beta_schedule, got {beta_range!r}"
            )
        ends = betas[[0, -1]]
    elif kind == "geometric" and not ends.all():
        raise ValueError(f"beta_range must be above 0 for a geometric schedule, got {beta_range!r}")
    elif kind == "geometric":
        betas = geometric(float(ends[0]), float(ends[1]), count[2])
    else:
        betas = np.linspace(ends[0], ends[1], count[2]) if count[2] > 1 else ends[1:]
    first, last = np.ldexp(ends, -layers.exponent).tolist()
    return (first, last), betas


def _betas(name: str, value: ArrayLike, length: int | None, exponent: int) -> Doubles:
    """Inverse temperatures in units of 2^-exponent."""
    given = float_array(name, value, shape=(length,)).astype(np.float64)
    with np.errstate(over="ignore"):
        scaled = np.ldexp(given, exponent)
    for beta in given[(scaled < 0) | (scaled > _COLDEST)]:
        raise ValueError(
            f"{name} must be at least 0 and at most 2^100 / (largest bias), got {beta}"
        )
    return scaled
