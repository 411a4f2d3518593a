"""FromDimod: any dimod sampler as a sampler of isingprop."""

from __future__ import annotations

import inspect
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isingprop.problem import IsingProblem, all_fields
from isingprop.samplers.arguments import check_problem, read_number, start_states
from isingprop.samplers.dimod_calls import DimodCalls
from isingprop.samplers.dimod_probe import needs_leading_spins, repeats, why_no_starts
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, broadcast_starts, seed_number
from isingprop.util.kept_arguments import KeptArguments

if TYPE_CHECKING:
    from dimod.core.sampler import Sampler as DimodSampler


class FromDimod(KeptArguments, BaseSampler):
    """A dimod sampler, which gets problem b as a model over variables 0 ... N - 1, hidden first.

        E_b(s) = sum_k h_bk s_k + sum_ia J_ia s_i s_(H + a)

    A model is made once for each batch, and each problem gets a copy with its own fields.

    The sampler gets `num_reads`, `seed` and `initial_states` as far as it takes them, that is,
    where its `parameters` list them or its sample() names them. A seed is passed only where it is
    listed: OpenJij does not list it, and would return the same state in all reads. A sampler that
    returns fewer reads than asked for is called again; if it returns more, the lowest are kept.

    What a sampler lists it need not keep: a composite may draw random numbers of its own, or hand
    start states to its child as they are though it has changed the variables or reversed spins. So
    `repeats` and `takes_initial` say what a copy of the sampler did with 17 pairs of spins. A
    sampler that has, or holds one that has, an attribute `client` or `solver`, as those of D-Wave's
    cloud do, may cost money: it is never tried, and nothing is promised of it.

    SimulatedAnnealingSampler of dwave-samplers 1.8.0 gets two things for which it does not ask:

    - proposal_acceptance_criteria="Gibbs". Its own default, Metropolis sweeps in a fixed order,
      keeps the kinks of a ring: of 10 spins, 2 % of reads are ground states after 1 or 10,000
      sweeps alike; with "Gibbs" 99.9 % after 100 sweeps, with randomize_order=True 99.4 % at 1.3
      times the time. With fields and couplings at random both cost energy: on 120 x 40 spins the
      mean after 100 sweeps is -850 with "Gibbs" (0.42 ms a read), -863 with "Metropolis" (0.53 ms),
      -844 in random order (0.60 ms), and the lowest is -908.
    - Six more spins, on which nothing acts and which are updated first. The first two random
      numbers of each call are below 1/512 whatever the seed, so the first two spins of its first
      read always turn over, however much the energy rises; numbers 3 and 4 are nearly the same. Six
      spins take them out of the way, for 10 % of the time of a call with one read and 5 sweeps, and
      less of longer ones. They are there if a copy of the sampler shows the fault before
      the first call, and with "Gibbs" in the fixed order only: "Metropolis" and randomize_order are
      sent as asked for, and the first steps uphill of each call are then taken always.

    Args:
        sampler: an instance, such as dwave.samplers.SimulatedAnnealingSampler(),
            openjij.SASampler() or LeapHybridSampler().
        parameters: arguments that are passed in each call; they replace the arguments above.

    Raises:
        TypeError: for a sampler without sample(), a class, or a parameter that the sampler does not
            take.

    Example:
        >>> import dimod
        >>> problem = IsingProblem([[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> states = FromDimod(dimod.ExactSolver()).sample(problem, num_reads=2)
        >>> states.spins
        array([[[-1, -1],
                [ 1,  1]]], dtype=int8)
        >>> states.energies
        array([[-1.5, -0.5]])
    """

    takes: set[str]  #: the parameters that the sampler is known to take

    def __init__(self, sampler: DimodSampler, **parameters: object) -> None:
        """Checks that the object is a dimod sampler and takes the parameters."""
        if isinstance(sampler, type):
            raise TypeError(f"sampler must be an instance, got the class {sampler.__name__}")

        self._name = type(sampler).__name__
        if not callable(getattr(sampler, "sample", None)):
            raise TypeError(f"sampler must have a method sample(), got {self._name}")
        if isinstance(sampler, BaseSampler):
            raise TypeError(
                f"sampler must be a dimod sampler, got {self._name}, "
                "which is one of isingprop's own"
            )

        self._calls = DimodCalls(sampler, parameters)
        self.takes = self._calls.takes

        # A dimod sampler lists all its parameters and drops others with a warning. Only one that
        # has no list may take others as **kwargs.
        unknown = sorted(set(parameters) - self.takes)
        listed = getattr(sampler, "parameters", None)
        if unknown and (listed is not None or inspect.getfullargspec(sampler.sample).varkw is None):
            raise TypeError(
                f"parameters of {self._name} must be of {sorted(self.takes)}, got {unknown[0]!r}"
            )

        self._sampler = sampler
        self._parameters = parameters

    def __repr__(self) -> str:
        """Returns the class of the dimod sampler and the parameters."""
        parameters = (f"{name}={value!r}" for name, value in self._parameters.items())
        return f"FromDimod({', '.join([self._name, *parameters])})"

    @property
    def takes_initial(self) -> bool:
        """Whether the dimod sampler stays where it starts, as a small cold problem shows once."""
        return self._no_starts is None

    @property
    def repeats(self) -> bool:
        """Whether the same seed gives the same states, however problems are batched.

        True where three calls with one seed, the third by a fresh copy of the sampler, gave the
        same states of a small problem with 2^16 ground states. It cannot be seen for a sampler that
        depends on time, such as TabuSampler, whose default limit is 20 ms.
        """
        return self._repeats

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the dimod sampler and the parameters of each call; `deep` has no effect."""
        return {"sampler": self._sampler, **self._parameters}

    def settings(self) -> dict[str, Any]:
        """Returns all that decides the states, by name, in types that JSON has."""
        kind = type(self._sampler)
        parameters = {name: _as_json(value) for name, value in self._calls.parameters.items()}
        return {
            "name": "FromDimod",
            "sampler": f"{kind.__module__}.{kind.__qualname__}",
            "parameters": parameters,
            **({"leading_spins": True} if self._leading_spins else {}),
        }

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Calls the sampler for one problem after another, until there are num_reads reads of each.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: 0 ... 2^64 - 1; None takes a random one. The sampler gets 31 bits that depend on
                the seed, on problem.streams[b] and on the number of the call.
            initial: int8 start states (B, R, N), or with a length of 1 in place of B or R.

        Returns:
            States with exact energies, in the sampler's order of reads, or ordered by energy where
            it returned more than R. `info` holds the seed, the class of the sampler and, as
            "calls", the info of each of its answers.

        Raises:
            ValueError: for num_reads < 1; start states that do not fit or that the sampler does not
                take; fields that are not finite; or an answer that has no reads, another number of
                spins, spins that are not -1 or +1, or energies that are not finite.
            TypeError: for an answer that is not a dimod.SampleSet.
        """
        check_problem(problem)
        num_reads = read_number(num_reads)
        seed = seed_number(seed)
        initial = start_states(initial)
        lengths = len(problem), num_reads, problem.num_spins
        starts = None if initial is None else self._starts(initial, lengths)

        fields = all_fields(problem)
        no_fields = np.zeros((1, problem.num_hidden)), np.zeros((1, problem.num_output))
        couplings_only = IsingProblem(problem.couplings, *no_fields).to_bqm()

        spins = np.empty(lengths, np.int8)
        infos: list[dict[str, Any]] = []
        calls = self._calls
        calls.leading_spins = self._leading_spins
        for b, stream in enumerate(problem.streams):
            model = couplings_only.copy()  # type: ignore[no-untyped-call]
            model.add_linear_from_array(fields[b])
            seeds = np.random.SeedSequence([seed, int(stream)])
            reads, counts = calls.reads(
                model, num_reads, seeds, None if starts is None else starts[b], infos
            )

            if counts.sum() > num_reads:
                order = problem[b : b + 1].energies(reads[None])[0].argsort(kind="stable")
                reads, counts = reads[order], counts[order]
            kept = np.diff(counts.cumsum().clip(max=num_reads), prepend=0)
            spins[b] = reads.repeat(kept, axis=0)

        info = {"seed": seed, "sampler": self._name, "calls": infos}
        return States.trusted(spins, problem.energies(spins), info)

    def _starts(self, initial: Spins, lengths: tuple[int, int, int]) -> Spins:
        """Returns start states as a (B, R, N) array, if the sampler starts from any."""
        if "initial_states" in self._parameters:
            raise ValueError(f"initial must be None for {self}, which has its initial_states")
        starts = broadcast_starts(initial, lengths)
        if self._no_starts is not None:
            raise ValueError(f"initial must be None for {self._name}, {self._no_starts}")
        return starts

    @cached_property
    def _no_starts(self) -> str | None:
        """Why start states are refused."""
        return why_no_starts(self._calls)

    @cached_property
    def _repeats(self) -> bool:
        return repeats(self._calls)

    @cached_property
    def _leading_spins(self) -> bool:
        """Whether each call has six more spins in front, which take its first random numbers."""
        return needs_leading_spins(self._calls)


def _as_json(value: object) -> Any:
    """Returns `value` as JSON restores it: arrays as lists, and unknown types as their repr."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_array_or_repr))
    except (TypeError, ValueError):
        return repr(value)


def _array_or_repr(value: object) -> object:
    """Returns an array as a list, a function's name, and the repr of anything else.

    The repr of a function holds its address, which differs in a process that resumes a run.
    """
    if inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else repr(value)
