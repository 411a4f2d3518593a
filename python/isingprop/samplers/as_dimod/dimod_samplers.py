"""AnnealingSampler and TemperingSampler, with the parameter names of dwave-samplers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dimod
import numpy as np
from dimod.typing import SamplesLike
from numpy.typing import ArrayLike

from isingprop.samplers.arguments import MOST_SWEEPS, RELATIVE_BETA_RANGE, sweep_number
from isingprop.samplers.as_dimod.beta_schedules import (
    BetaCount,
    BetaSchedule,
    ScheduleType,
    beta_schedule_of,
)
from isingprop.samplers.as_dimod.model_kernels import (
    Reads,
    Sampled,
    anneal_model,
    temper_model,
)
from isingprop.samplers.as_dimod.sampler_call import Generator, ModelSampler
from isingprop.samplers.tempering import (
    RELATIVE_LADDER,
    Tempering,
    rung_number,
    target_number,
    with_target,
)
from isingprop.util.checks import Doubles, true_or_false, whole_number

_NUM_SWEEPS = 1000  # the default of dwave-samplers


class AnnealingSampler(ModelSampler):
    """Simulated annealing as a dimod sampler, for every binary quadratic model.

        E(s) = offset + sum_i h_i s_i + sum_ij J_ij s_i s_j,   to be minimised

    It replaces dwave.samplers.SimulatedAnnealingSampler, with these differences:

    - Where the schedule ends cold, a read ends with a zero-temperature descent, after which no
      single flip lowers its energy; see `descend`.
    - Without beta_range, beta follows the rule of `isingprop.Annealing`.
    - Read r depends on r and the seed, but not on num_reads. A seed has up to 64 bits. As there, a
      seed gives other samples where the variables of the model come in another order.
    - Arguments are given by name.
    - There is no randomize_order or proposal_acceptance_criteria: spins are updated in turn, those
      without couplings between them together, by Metropolis's rule times 63/64. So a spin without
      any field forgets its start.
    - An error in interrupt_function is raised.

    With num_sweeps=0 and descend=True it replaces dwave.samplers.SteepestDescentSolver: the given
    or random states are descended at once, but spins in turn, and not the steepest first.

    Memory and time are proportional to the couplings. A network of two dense layers, with at least
    half of all couplings between them, runs on the kernels of `isingprop.Annealing`.

    Example:
        >>> fields, couplings = {"a": 0.5}, {("a", "b"): -1.0, ("b", "c"): 1.0}
        >>> bqm = dimod.BinaryQuadraticModel(fields, couplings, 0.0, "SPIN")
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
        num_sweeps_per_beta: int = 1,
        beta_range: Sequence[float] | None = None,
        beta_schedule_type: ScheduleType = "geometric",
        beta_schedule: ArrayLike | None = None,
        descend: bool | None = None,
        **kwargs: object,
    ) -> dimod.SampleSet:
        """Anneals the model num_reads times, from random or given states.

        Args:
            bqm: SPIN or BINARY, with finite biases.
            num_reads: R >= 1; by default the number of initial states, or 1.
            initial_states: start states, one for each read.
            initial_states_generator: what to do where there are fewer initial states than reads:
                "none" raises an error, "tile" repeats them, "random" adds random ones.
            seed: 0 ... 2^64 - 1; None takes a random one, which `info` holds.
            interrupt_function: called after each read; when it returns True, the reads so far are
                returned.
            num_sweeps: sweeps per read, at most 10 million; by default 1000, or those of a custom
                schedule. 0 returns the start states, or descends them with descend=True.
            num_sweeps_per_beta: sweeps at each inverse temperature, of which num_sweeps must be a
                multiple.
            beta_range: (first, last) inverse temperature, >= 0, in 1 / (unit of the biases of spins
                -1 and +1).
            beta_schedule_type: "geometric" (beta_range must be above 0) or "linear", from the first
                to the last beta; a single one is the last. Or "custom".
            beta_schedule: with "custom", the inverse temperatures, each >= 0 or infinite.
            descend: whether reads end with a zero-temperature descent. None does so where the
                schedule ends cold: not at constant beta, whose states are Boltzmann-distributed
                after enough sweeps, nor without a sweep, nor if the last beta is less than 4 / f,
                with f the root mean square of the local field in a random state, or for a dense
                model of two layers that of `isingprop.Annealing`.
            **kwargs: ignored with a warning.

        Returns:
            One row for each read, with the energies of `bqm`. `info` holds beta_range,
            beta_schedule_type, seed and timing (preprocessing_ns, sampling_ns, postprocessing_ns).
            In beta_range, None is an infinite beta, or one that no sweep has asked for.

        Raises:
            ValueError: for biases that are not finite, and bad arguments.
            KeyboardInterrupt: on Ctrl-C.
        """
        self.remove_unknown_kwargs(**kwargs)
        call = self._call(
            bqm, num_reads, initial_states, initial_states_generator, seed, interrupt_function
        )
        count = _count_of(num_sweeps, num_sweeps_per_beta, beta_schedule)
        schedule = beta_schedule_of(
            beta_schedule_type, beta_schedule, beta_range, RELATIVE_BETA_RANGE, count
        )
        if descend is not None:
            true_or_false("descend", descend)
        descends = schedule.ends_cold(call.model) if descend is None else descend

        def run(reads: Reads) -> Sampled:
            return anneal_model(
                call.model,
                schedule.betas,
                reads,
                relative=schedule.relative,
                descend=descends,
                seed=call.seed,
            )

        sampled = call.run(run)
        return call.sample_set(
            sampled,
            descends,
            beta_range=schedule.range_in(call.model, sampled),
            beta_schedule_type=beta_schedule_type,
        )


class TemperingSampler(ModelSampler):
    """Parallel tempering as a dimod sampler, for every binary quadratic model.

    Replicas at a ladder of temperatures swap places, see `isingprop.Tempering`. A read is the
    lowest state that any of them was in, after a zero-temperature descent, or with target_beta a
    sample at that temperature. The arguments are those of `AnnealingSampler`, but the schedule of
    inverse temperatures is the ladder, from the hot to the cold end. A read costs num_betas times
    an annealing read with the same num_sweeps. Many spins need many rungs: where swap_acceptance is
    near 0, replicas do not travel.

    Example:
        >>> fields, couplings = {"a": 0.5}, {("a", "b"): -1.0, ("b", "c"): 1.0}
        >>> bqm = dimod.BinaryQuadraticModel(fields, couplings, 0.0, "SPIN")
        >>> options = {"num_sweeps": 20, "num_betas": 4}
        >>> samples = TemperingSampler().sample(bqm, num_reads=5, seed=0, **options)
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
        target_beta: float | None = None,
        beta_range: Sequence[float] | None = None,
        beta_schedule_type: ScheduleType = "geometric",
        beta_schedule: ArrayLike | None = None,
        **kwargs: object,
    ) -> dimod.SampleSet:
        """Runs num_reads ladders of replicas on the model.

        Args:
            bqm: see `AnnealingSampler.sample`.
            num_reads: see `AnnealingSampler.sample`.
            initial_states: start states, one for each read, which all replicas of the read share.
            initial_states_generator: see `AnnealingSampler.sample`.
            seed: see `AnnealingSampler.sample`.
            interrupt_function: see `AnnealingSampler.sample`.
            num_sweeps: sweeps of each replica, 1 to 10 million; by default 1000.
            num_betas: rungs of the ladder, 1 to 1,000; by default the number of
                `isingprop.Tempering`, or that of a custom ladder.
            adaptive: whether to move the inner rungs during the first half of the sweeps, so that
                all gaps reject the same share of swaps.
            target_beta: None returns lowest states. A number in beta_range, or between the ends of
                a custom ladder, returns the last state at that inverse temperature without a
                descent, Boltzmann-distributed after enough sweeps; the nearest rung is set to it. A
                constant beta is its own target.
            beta_range: (first, last) inverse temperature of the ladder, rising and above 0, or
                constant.
            beta_schedule_type: see `AnnealingSampler.sample`, with a beta for each rung.
            beta_schedule: with "custom", the ladder.
            **kwargs: ignored with a warning.

        Returns:
            One row for each read, see `AnnealingSampler.sample`. `info` also holds, for each read,
            betas (R, num_betas), swap_acceptance (R, num_betas - 1) and round_trips (R,), which
            `isingprop.Tempering` explains; None is the acceptance where no swap was tried.
        """
        self.remove_unknown_kwargs(**kwargs)
        call = self._call(
            bqm, num_reads, initial_states, initial_states_generator, seed, interrupt_function
        )
        sweeps = sweep_number(_NUM_SWEEPS if num_sweeps is None else num_sweeps)
        settings = Tempering(sweeps, num_betas=num_betas, adaptive=adaptive)
        rungs = settings.num_betas or rung_number(bqm.num_variables, _constant(beta_range))
        count = BetaCount("num_betas", num_betas, rungs)
        schedule = beta_schedule_of(
            beta_schedule_type, beta_schedule, beta_range, RELATIVE_LADDER, count
        )
        _check_ladder(schedule.betas, beta_range, beta_schedule)
        betas, target = with_target(schedule.betas, _target(target_beta, schedule))

        def run(reads: Reads) -> Sampled:
            return temper_model(
                call.model,
                betas,
                reads,
                num_sweeps=sweeps,
                relative=schedule.relative,
                adaptive=adaptive,
                target=target,
                seed=call.seed,
            )

        sampled = call.run(run)
        return call.sample_set(
            sampled,
            target is None,
            beta_range=schedule.range_in(call.model, sampled),
            beta_schedule_type=beta_schedule_type,
            **{name: values.tolist() for name, values in sampled.ladders.items()},
        )


def _count_of(
    num_sweeps: int | None, num_sweeps_per_beta: int, beta_schedule: ArrayLike | None
) -> BetaCount:
    """Returns the number of inverse temperatures that the arguments of annealing ask for."""
    sweeps = _NUM_SWEEPS
    if num_sweeps is not None:
        sweeps = whole_number("num_sweeps", num_sweeps, least=0, most=MOST_SWEEPS)
    each = whole_number("num_sweeps_per_beta", num_sweeps_per_beta, least=1, most=MOST_SWEEPS)
    if sweeps % each != 0 and beta_schedule is None:
        raise ValueError(
            f"num_sweeps must be a multiple of num_sweeps_per_beta = {each}, got {sweeps}"
        )
    return BetaCount("num_sweeps", num_sweeps, sweeps // each, each, may_be_infinite=True)


def _constant(beta_range: Sequence[float] | None) -> tuple[float, float] | None:
    """Returns a range of two equal numbers, or None for anything else."""
    try:
        first, last = beta_range or ()
    except (TypeError, ValueError):
        return None
    return (first, last) if first == last else None


def _target(target_beta: float | None, schedule: BetaSchedule) -> float | None:
    """Returns target_beta, which must be within the ladder, or None."""
    first, last = schedule.range.tolist()
    if target_beta is None:
        return last if schedule.is_constant else None
    return target_number(target_beta, None if schedule.relative else (first, last))


def _check_ladder(
    ladder: Doubles, beta_range: Sequence[float] | None, beta_schedule: ArrayLike | None
) -> None:
    """Raises ValueError, which quotes the argument at fault, for a ladder that does not rise.

    One that is constant is right, too.
    """
    rises = ladder[0] > 0 and (np.diff(ladder) > 0).all()
    if rises or (ladder == ladder[0]).all():
        return

    if beta_schedule is None:
        raise ValueError(f"beta_range must rise from above 0, got {beta_range!r}")
    raise ValueError(f"beta_schedule must rise from above 0, got {beta_schedule!r}")
