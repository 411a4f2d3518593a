"""The anneal of an emulated chip: checks of a problem, errors of the chip, anneal and read-out."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import dimod
import numpy as np
from dimod.core.sampler import Sampler
from dwave.system.temperatures import fluxbias_to_h
from numpy.typing import NDArray

from isingprop.qpu.chip.energy_scales import EnergyScales
from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.working_graph import WorkingGraph, coupler_keys
from isingprop.qpu.emulator.acting_problem import ActingProblem
from isingprop.qpu.emulator.anneal_request import Request
from isingprop.qpu.emulator.chip_noise import Noise
from isingprop.qpu.emulator.classical_anneal import anneal_spins
from isingprop.qpu.emulator.rotor_anneal import anneal_rotors
from isingprop.util.checks import Doubles, Spins, real_number

# The two ends of each coupler, as indices of fields, and its value.
Couplings: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


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
        places = self._check_couplings(qubits, couplings)
        start = request.start(qubits)

        random = self._random(request, qubits, start, h, *couplings)
        acting = self._acting(request, qubits, h, couplings, places, random)
        spins = self._anneal(acting, request, start, random)
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

    def _check_couplings(self, qubits: Sequence[int], couplings: Couplings) -> NDArray[np.int64]:
        """Checks that couplings and their sums are in the chip's ranges.

        Returns:
            The numbers of the couplings' couplers in the working graph, (E,).
        """
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
        places = np.searchsorted(coupler_keys(self._graph.couplers), coupler_keys(pairs))
        on_chip[places] = values
        self._limits.check_coupling_sums(on_chip)
        return places

    @cached_property
    def _limits(self) -> Limits:
        """The chip's limits for problems that may use all of its couplers."""
        return Limits.of(self._properties, self._graph)

    def _acting(
        self,
        request: Request,
        qubits: Sequence[int],
        h: Doubles,
        couplings: Couplings,
        places: NDArray[np.int64],
        random: np.random.Generator,
    ) -> ActingProblem:
        """Returns what acts on qubits: a problem, the errors of the chip and flux biases."""
        noise = self._noise
        fixed = np.zeros(len(qubits))
        if noise.field_noise:
            fixed += noise.fields_of_qubits(self._properties["num_qubits"])[qubits]
        if request.flux_biases is not None:
            fixed += fluxbias_to_h(request.flux_biases[qubits])

        *ends, values = couplings
        if noise.coupling_noise:
            values = values + noise.errors_of_couplers(len(self._graph.couplers))[places]
        if noise.jitter:
            fixed += noise.jitter * random.standard_normal(len(fixed))
            values = values + noise.jitter * random.standard_normal(len(values))
        return ActingProblem(h, fixed, np.array(ends, dtype=np.int64).T.copy(), values)

    def _anneal(
        self,
        acting: ActingProblem,
        request: Request,
        start: Spins | None,
        random: np.random.Generator,
    ) -> Spins:
        """Returns the spins at the end of each anneal by the chip's model: (R, n)."""
        noise = self._noise
        if noise.beta is not None:
            return anneal_spins(acting, request, start, noise.beta, noise.sweeps_per_us, random)
        assert noise.temperature is not None
        scales = EnergyScales.of(self._graph.topology)
        return anneal_rotors(
            acting, request, start, scales, noise.temperature, noise.sweeps_per_us, random
        )

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
