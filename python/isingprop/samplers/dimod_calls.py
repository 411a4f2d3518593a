"""DimodCalls: the calls of a dimod sampler, and the checks of its answers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Spins, float_array, spin_array

if TYPE_CHECKING:
    import dimod
    from dimod.core.sampler import Sampler as DimodSampler

# The methods of a dimod sampler, each with the number of arguments that are the problem.
_METHODS = {"sample": 1, "sample_ising": 2, "sample_qubo": 1}

ACCEPTANCE = "proposal_acceptance_criteria"
# Spins on which nothing acts, and which come first, since dwave-samplers sorts integer labels. Of
# the random numbers of its calls, the first two are small, numbers 3 and 4 nearly the same, and
# numbers 4 and 6, and 6 and 9, depend on each other. From number 7 on none did in 4 million calls.
_LEADING = [-6, -5, -4, -3, -2, -1]


class DimodCalls:
    """What a dimod sampler takes, and its calls until there are enough reads of a model.

    Args:
        sampler: a dimod sampler.
        parameters: arguments that are passed in each call; they replace all others. Where the
            default of proposal_acceptance_criteria is "Metropolis", it is "Gibbs" here.
    """

    def __init__(self, sampler: DimodSampler, parameters: Mapping[str, object]) -> None:
        """Reads off what the sampler takes."""
        listed = getattr(sampler, "parameters", None) or ()
        self.sampler, self.name = sampler, type(sampler).__name__
        self.takes = _named_parameters(sampler).union(listed)
        self.takes_seed = "seed" in listed

        ordered_metropolis = ACCEPTANCE in self.takes and _default(sampler) == "Metropolis"
        gibbs = {ACCEPTANCE: "Gibbs"} if ordered_metropolis else {}
        self.parameters: dict[str, object] = {**gibbs, **parameters}
        #: Whether six more spins, which are dropped from the answer, take the first random numbers
        #: of each call.
        self.leading_spins = False

    def copied(self, parameters: Mapping[str, object]) -> Self:
        """Returns calls of a deep copy of the sampler with other parameters."""
        return type(self)(copy.deepcopy(self.sampler), parameters)

    def reads(
        self,
        model: dimod.BinaryQuadraticModel,
        num_reads: int,
        seeds: np.random.SeedSequence,
        starts: Spins | None,
        infos: list[dict[str, Any]],
    ) -> tuple[Spins, NDArray[np.int64]]:
        """Calls the sampler until it has returned num_reads reads or more of one model.

        The info of each answer is appended to `infos`, and leading spins are added to the model.

        Returns:
            States (n, N) and how often each of them was read, (n,).
        """
        labels = list(range(model.num_variables))
        leading = _LEADING if self.leading_spins else []
        for label in leading:
            model.add_variable(label)

        spins, counts, done, number = [], [], 0, 0
        while done < num_reads:
            given: dict[str, Any] = (
                {"num_reads": num_reads - done} if "num_reads" in self.takes else {}
            )
            if self.takes_seed:
                # 31 bits, so that a signed 32-bit integer holds it.
                given["seed"] = int(seeds.generate_state(number + 1)[number]) >> 1
            if starts is not None:
                given["initial_states"] = starts[done:].copy(), labels
            given |= self.parameters
            if leading and given.get("initial_states") is not None:
                given["initial_states"] = _with_leading_spins(given["initial_states"])

            answer = self.sampler.sample(model, **given)
            read, times = _checked(answer, self.name, [*leading, *labels])
            infos.append(answer.info)
            spins.append(read[:, len(leading) :])
            counts.append(times)
            done, number = done + int(times.sum()), number + 1

        return np.concatenate(spins), np.concatenate(counts)


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


def _default(sampler: Any) -> object:
    """Returns the default of proposal_acceptance_criteria; a composite leaves it to its child."""
    while sampler is not None:
        named = inspect.signature(sampler.sample).parameters.get(ACCEPTANCE)
        if named is not None:
            return named.default
        sampler = getattr(sampler, "child", None)
    return None


def _with_leading_spins(initial_states: Any) -> tuple[NDArray[Any], list[Any]]:
    """Returns start states of any form that dimod knows, with leading spins that are up."""
    import dimod

    rows, labels = dimod.as_samples(initial_states)
    up = np.ones((len(rows), len(_LEADING)), dtype=rows.dtype)
    return np.hstack([up, rows]), [*_LEADING, *labels]


def _checked(answer: object, name: str, wanted: list[int]) -> tuple[Spins, NDArray[np.int64]]:
    """Checks an answer of a dimod sampler.

    Returns:
        States (n, N), in the order of the N variables `wanted`, and how often each of them was
        read, (n,).
    """
    import dimod

    if not isinstance(answer, dimod.SampleSet):
        raise TypeError(
            f"answers from {name} must be of type dimod.SampleSet, got {type(answer).__name__}"
        )
    shape = (None, len(wanted))
    spins = spin_array(f"spins from {name}", answer.record.sample, shape=shape)
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
    if labels != wanted:
        strange = [label for label in labels if label not in wanted]
        if strange:  # there are N different labels, so a missing one implies a strange one
            raise ValueError(
                f"variables from {name} must be {wanted[0]} ... {wanted[-1]}, got {strange[0]!r}"
            )
        spins = spins[:, np.argsort(labels)]

    return spins, counts.astype(np.int64)
