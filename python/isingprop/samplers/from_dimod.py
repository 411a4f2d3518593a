"""FromDimod: any dimod sampler as a sampler of isingprop."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem, all_fields
from isingprop.samplers.arguments import check_problem, read_number, start_states
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, broadcast_starts, float_array, seed_number, spin_array

if TYPE_CHECKING:
    import dimod
    from dimod.core.sampler import Sampler as DimodSampler

# The methods of a dimod sampler, each with the number of arguments that are the problem.
_METHODS = {"sample": 1, "sample_ising": 2, "sample_qubo": 1}


class FromDimod(BaseSampler):
    """A dimod sampler, which gets problem b as a model over variables 0 ... N - 1, hidden first.

        E_b(s) = sum_k h_bk s_k + sum_ia J_ia s_i s_(H + a)

    A model is made once for each batch, and each problem gets a copy with its own fields.

    The sampler gets `num_reads`, `seed` and `initial_states` as far as it takes them, that is,
    where its `parameters` list them or its sample() names them. A seed is passed only where it is
    listed: OpenJij does not list it, and would return the same state in all reads. So if
    `parameters` lists a seed, and the sampler does not depend on time, the same seed gives the same
    states, however problems are batched. A sampler that returns fewer reads than asked for is
    called again; if it returns more, the lowest are kept.

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

        listed = getattr(sampler, "parameters", None)
        #: The parameters that the sampler is known to take.
        self.takes = _named_parameters(sampler).union(listed or ())
        self._takes_seed = "seed" in (listed or ())

        # A dimod sampler lists all its parameters and drops others with a warning. Only one that
        # has no list may take others as **kwargs.
        unknown = sorted(set(parameters) - self.takes)
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
        """Whether the dimod sampler takes start states."""
        return "initial_states" in self.takes

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the dimod sampler and the parameters of each call; `deep` has no effect."""
        return {"sampler": self._sampler, **self._parameters}

    def settings(self) -> dict[str, Any]:
        """Returns all that decides the states, by name, in types that JSON has."""
        kind = type(self._sampler)
        parameters = {name: _as_json(value) for name, value in self._parameters.items()}
        return {
            "name": "FromDimod",
            "sampler": f"{kind.__module__}.{kind.__qualname__}",
            "parameters": parameters,
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
        calls: list[dict[str, Any]] = []
        for b, stream in enumerate(problem.streams):
            model = couplings_only.copy()  # type: ignore[no-untyped-call]
            model.add_linear_from_array(fields[b])
            seeds = np.random.SeedSequence([seed, int(stream)])
            reads, counts = self._reads(
                model, num_reads, seeds, None if starts is None else starts[b], calls
            )

            if counts.sum() > num_reads:
                order = problem[b : b + 1].energies(reads[None])[0].argsort(kind="stable")
                reads, counts = reads[order], counts[order]
            kept = np.diff(counts.cumsum().clip(max=num_reads), prepend=0)
            spins[b] = reads.repeat(kept, axis=0)

        info = {"seed": seed, "sampler": self._name, "calls": calls}
        return States.trusted(spins, problem.energies(spins), info)

    def _reads(
        self,
        model: dimod.BinaryQuadraticModel,
        num_reads: int,
        seeds: np.random.SeedSequence,
        starts: Spins | None,
        calls: list[dict[str, Any]],
    ) -> tuple[Spins, NDArray[np.int64]]:
        """Calls the sampler until it has returned num_reads reads or more of one model.

        The info of each answer is appended to `calls`.

        Returns:
            States (n, N) and how often each of them was read, (n,).
        """
        spins, counts, done, number = [], [], 0, 0

        while done < num_reads:
            given: dict[str, object] = (
                {"num_reads": num_reads - done} if "num_reads" in self.takes else {}
            )
            if self._takes_seed:
                # 31 bits, so that a signed 32-bit integer holds it.
                given["seed"] = int(seeds.generate_state(number + 1)[number]) >> 1
            if starts is not None:
                given["initial_states"] = starts[done:].copy(), list(range(model.num_variables))

            answer = self._sampler.sample(model, **given | self._parameters)
            read, times = _checked(answer, self._name, model.num_variables)
            calls.append(answer.info)
            spins.append(read)
            counts.append(times)
            done, number = done + int(times.sum()), number + 1

        return np.concatenate(spins), np.concatenate(counts)

    def _starts(self, initial: Spins, lengths: tuple[int, int, int]) -> Spins:
        """Returns start states as a (B, R, N) array, if the sampler takes any."""
        if not self.takes_initial:
            raise ValueError(
                f"initial must be None for {self._name}, which takes no initial_states"
            )
        if "initial_states" in self._parameters:
            raise ValueError(f"initial must be None for {self}, which has its initial_states")
        return broadcast_starts(initial, lengths)


def _named_parameters(sampler: DimodSampler) -> set[str]:
    """Returns the parameters that the signatures of a sampler's methods name."""
    named = set()
    for method, num_problem in _METHODS.items():
        if callable(function := getattr(sampler, method, None)):
            arguments = list(inspect.signature(function).parameters.values())[num_problem:]
            named |= {
                each.name
                for each in arguments
                if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
            }
    return named


def _checked(answer: object, name: str, num_spins: int) -> tuple[Spins, NDArray[np.int64]]:
    """Checks an answer of a dimod sampler.

    Returns:
        States (n, N), in the order of the variables 0 ... N - 1, and how often each of them was
        read, (n,).
    """
    import dimod

    if not isinstance(answer, dimod.SampleSet):
        raise TypeError(
            f"answers from {name} must be of type dimod.SampleSet, got {type(answer).__name__}"
        )
    spins = spin_array(f"spins from {name}", answer.record.sample, shape=(None, num_spins))
    float_array(f"energies from {name}", answer.record.energy, shape=(len(spins),))

    counts = np.asarray(answer.record.num_occurrences)
    if counts.dtype.kind not in "iu":
        raise TypeError(
            f"num_occurrences from {name} must be an array of integers, got dtype {counts.dtype}"
        )
    if counts.min() < 1:
        where = int(counts.argmin())
        raise ValueError(
            f"num_occurrences from {name} must be at least 1, got {counts[where]} at index {where}"
        )

    labels = list(answer.variables)
    if labels != list(range(num_spins)):
        strange = [label for label in labels if label not in range(num_spins)]
        if strange:  # there are N different labels, so a missing one implies a strange one
            raise ValueError(
                f"variables from {name} must be 0 ... {num_spins - 1}, got {strange[0]!r}"
            )
        spins = spins[:, np.argsort(labels)]

    return spins, counts.astype(np.int64)


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
