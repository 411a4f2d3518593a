"""A chip programmed with copies of a network: turns tasks into calls."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem, all_fields
from isingprop.qpu.calls.call_data import Call, PreparedCall, Tile
from isingprop.qpu.calls.call_parts import Part, split
from isingprop.qpu.calls.connection import device_name, host
from isingprop.qpu.calls.program import Program
from isingprop.qpu.calls.solver_parameters import checked_parameters, checked_qubits
from isingprop.qpu.calls.tasks import MissingReads, Task
from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding import Embedding
from isingprop.qpu.embed.embedding_cache import copies_of
from isingprop.qpu.estimate import Estimate, access_time, estimate
from isingprop.qpu.settings import LEAST_CHAIN, Settings, torque_compensation
from isingprop.util.checks import Doubles, Spins

_LABEL_DIGITS = 16  # random hex digits in the label of a call


def network_copies(
    graph: WorkingGraph,
    num_hidden: int,
    num_output: int,
    *,
    apex: bool,
    seconds: float | None = None,
) -> list[Embedding]:
    """Returns embeddings of a network, with one more spin in each layer if it needs an `apex`.

    The search for them goes on for `seconds`, or until it ends by itself.

    Raises:
        ValueError: for a network that does not fit.
    """
    try:
        return copies_of(graph, num_hidden + apex, num_output + apex, seconds)
    except ValueError as error:
        if not apex:
            raise
        raise ValueError(
            f"{num_hidden} x {num_output} spins take one more spin in each layer in modes cyclic "
            f"and fast: {error}"
        ) from None


class ProgrammedChip:
    """The copies of K_{H,O} on a device, with all that its calls have in common.

    Args:
        device: a DWaveSampler, a MockDWaveSampler or an EmulatedQPU.
        num_hidden: H.
        num_output: O.
        settings: settings of the sampler.
        from_starts: whether its calls have start states; without them they are forward anneals in
            every mode.
        num_copies: max number of copies to use; None: all that fit.

    Raises:
        ValueError: for a network that does not fit, or a schedule that the chip does not accept.
    """

    def __init__(
        self,
        device: Any,
        num_hidden: int,
        num_output: int,
        settings: Settings,
        *,
        from_starts: bool,
        num_copies: int | None = None,
    ) -> None:
        """Checks the settings against the chip, and embeds the network."""
        self._device = device
        self._settings = settings
        self._shape = num_hidden, num_output
        self._parameters = checked_parameters(device, settings, from_starts=from_starts)
        self._by_qubit = checked_qubits(device, settings)

        graph = WorkingGraph.of(device)
        self.copies = network_copies(graph, num_hidden, num_output, apex=settings.has_apex)
        self.copies = self.copies[:num_copies]
        # Forward calls of cyclic mode use the embedding of K_{H+1,O+1}, too, whose two apex chains
        # are then idle.
        self._apex = settings.has_apex and (from_starts or settings.is_fast)
        self.program = Program(graph, self.copies, num_hidden, num_output, apex=self._apex)

        self._limits = Limits.of(device.properties, graph, self.program.rows)
        self._scale = settings.scale_for(num_hidden, num_output, -self._limits.j_range[0])
        self._notes = {
            "solver": device_name(device),
            "host": host(device),
            "graph_id": graph.graph_id,
            "scale": self._scale,
        }

    def uniform_settings(self, problem: IsingProblem) -> Settings:
        """Returns the settings with the scale and the chain strength of calls for a problem."""
        strength = self._chain_strength(problem, all_fields(problem))
        return replace(self._settings, scale=self._scale, chain_strength=strength)

    def calls(
        self, problem: IsingProblem, missing: Iterable[MissingReads], seed: int
    ) -> Iterator[PreparedCall]:
        """Yields calls for missing reads; tasks that miss equally many share calls.

        With several spin reversals, so many calls share the reads of a task, however many of them
        are answered.

        Raises:
            ValueError: for a chain strength or sums of couplings that are out of range.
        """
        fields = all_fields(problem)
        chain_strength = self._chain_strength(problem, fields)
        by_reads: dict[tuple[int, int | None], list[MissingReads]] = {}
        for each in missing:
            key = each.num_reads, self._reads_of_reversal(each.task.num_reads)
            by_reads.setdefault(key, []).append(each)

        for (num_reads, most), group in by_reads.items():
            for part in split(len(group), num_reads, len(self.copies), self._reads_range, most):
                tasks = [group[slot.task].task for slot in part.slots]
                slots = [
                    slot._replace(first_read=group[slot.task].first + slot.first_read)
                    for slot in part.slots
                ]
                moved = Part(tuple(slots), part.reads)
                yield self._prepared(problem, fields, chain_strength, tasks, moved, seed)

    def _reads_range(self, num_copies: int) -> tuple[int, int]:
        """Returns the min and the max number of reads of a call that uses so many copies."""
        qubits = sum(copy.num_qubits for copy in self.copies[:num_copies])
        return self._limits.reads_range(partial(self.seconds, qubits))

    def _reads_of_reversal(self, num_reads: int) -> int | None:
        """Returns how many reads of a task may share a spin reversal; None: any number."""
        reversals = self._settings.num_reversals
        return None if reversals == 1 else -(-num_reads // reversals)

    def seconds(self, num_qubits: int, reads: int) -> float:
        """Returns the QPU access time of a call in seconds; 0 for a mock without timing data."""
        if self._device.properties.get("problem_timing_data") is None:
            return 0.0
        return access_time(
            self._device.properties,
            num_qubits,
            reads,
            annealing_time=self._parameters.get("annealing_time"),
            anneal_schedule=self._parameters.get("anneal_schedule"),
            reinitialize_state=self._settings.reinitialize_state,
        )

    def estimate(self, **plan: int) -> Estimate:
        """Returns the cost of a training run with such calls.

        Args:
            plan: the arguments of `qpu.estimate.estimate` on images, epochs, reads and references;
                without references the chip must be one for calls without start states.
        """
        return estimate(
            self._device.properties,
            [copy.num_qubits for copy in self.copies],
            **plan,
            least_reads=self._settings.num_reads or 1,
            limits=self._limits,
            annealing_time=self._settings.annealing_time,
            anneal_schedule=self._parameters.get("anneal_schedule"),
            reinitialize_state=self._settings.reinitialize_state,
            num_reversals=self._settings.num_reversals,
        )

    def _chain_strength(self, problem: IsingProblem, fields: Doubles) -> float:
        """Returns the chain strength in the units of the network's J.

        It is the one that is set, or else uniform torque compensation as far as the chip allows,
        and no less than holds chains together against heat.
        """
        strongest = -self._limits.j_range[0] / self._scale
        if (chosen := self._settings.chain_strength) is not None:
            if chosen > strongest:
                raise ValueError(
                    f"chain_strength must be at most {strongest:.4g} on a chip with couplings "
                    f"down to {self._limits.j_range[0]:g} and a scale of {self._scale:.4g}, "
                    f"got {chosen:g}"
                )
            return chosen

        squares = np.square(problem.couplings, dtype=np.float64).ravel()
        if self._apex:  # fields are couplings to the apex
            squares = np.concatenate([squares, np.square(fields).mean(axis=0)])
        torque = torque_compensation(float(squares.mean()), *self._shape)
        return min(max(torque, LEAST_CHAIN / self._scale), strongest)

    def _prepared(
        self,
        problem: IsingProblem,
        fields: Doubles,
        chain_strength: float,
        tasks: list[Task],
        part: Part,
        seed: int,
    ) -> PreparedCall:
        """Returns the call of a part, with the task of each of its slots.

        Which copies are used, and which spins are reversed, changes from call to call.
        """
        program, scale = self.program, self._scale
        stream, first_read = int(problem.streams[tasks[0].problem]), part.slots[0].first_read
        copies, flips = self._placement(len(tasks), seed, stream, first_read)
        used = np.isin(np.arange(program.num_copies), copies)
        starts, linear, quadratic = self._logical(
            problem, fields, dict(zip(copies, tasks, strict=True))
        )

        h = program.fields(scale * linear * flips)
        j = program.couplings(scale * quadratic, flips, scale * chain_strength)
        h, j, clipped = self._clipped(h, j, used)

        qubits = program.used_qubits(used)
        # A chip gives each call other reads; an emulated chip has to know that it is another call.
        emulated = first_read > 0 and "first_read" in self._device.parameters
        which_reads = {"first_read": first_read} if emulated else {}
        initial_state = np.empty(0, np.int8)
        if "anneal_schedule" in self._parameters:
            initial_state = program.spread(starts * flips)[qubits]
        call = Call(
            label=f"isingprop-{uuid.uuid4().hex[:_LABEL_DIGITS]}",
            tiles=tuple(
                Tile(tasks[k].request, copies[k], part.slots[k].first_read, part.slots[k].count)
                for k in np.argsort(copies)
            ),
            num_spins=problem.num_spins,
            qubits=program.qubits[qubits].astype(np.int32),
            chain_lengths=program.chain_lengths[used].astype(np.int32),
            flips=flips[used],
            initial_state=initial_state,
            parameters={"num_reads": part.reads, **self._parameters, **which_reads},
            notes={
                **self._notes,
                "chain_strength": chain_strength,
                "clipped": clipped,
                "estimated_seconds": self.seconds(int(qubits.sum()), part.reads),
            },
            by_qubit=self._by_qubit,
        )
        return PreparedCall(call, *program.as_dicts(used, h, j))

    def _placement(
        self, num_tasks: int, seed: int, stream: int, first_read: int
    ) -> tuple[list[int], Spins]:
        """Returns the copy of each task of a call, and the spin reversal (copies, spins)."""
        program = self.program
        key = [seed, stream, first_read] if first_read else [seed, stream]
        random = np.random.Generator(np.random.PCG64(key))
        first = int(random.integers(program.num_copies))
        copies = [(first + k) % program.num_copies for k in range(num_tasks)]

        flips = np.ones((program.num_copies, program.num_spins), np.int8)
        if self._settings.spin_reversal:
            flips = 2 * random.integers(2, size=flips.shape, dtype=np.int8) - 1
        return copies, flips

    def _logical(
        self, problem: IsingProblem, fields: Doubles, tasks: dict[int, Task]
    ) -> tuple[Spins, Doubles, Doubles]:
        """Returns the logical problem of a call whose copies have these tasks.

        Returns:
            Start states and fields, both (copies, spins), and couplings (copies, couplings). Fields
            and couplings are 0 on copies without a task.
        """
        program, num_spins, num_couplings = self.program, problem.num_spins, problem.couplings.size
        starts: Spins = np.ones((program.num_copies, program.num_spins), np.int8)
        linear = np.zeros((program.num_copies, program.num_spins))
        quadratic = np.zeros((program.num_copies, program.num_couplings))

        for copy, task in tasks.items():
            quadratic[copy, :num_couplings] = problem.couplings.ravel()
            if task.start is not None:
                starts[copy, :num_spins] = task.start
            if not self._apex:
                linear[copy] = fields[task.problem]
                continue
            quadratic[copy, num_couplings:] = fields[task.problem]
            if not self._settings.is_fast:
                linear[copy] = -self._settings.bias * starts[copy]
        return starts, linear, quadratic

    def _clipped(
        self, h: Doubles, j: Doubles, used: NDArray[np.bool_]
    ) -> tuple[Doubles, Doubles, int]:
        """Returns h and J clipped to the chip's ranges, and the number of values clipped.

        Sums of couplings are checked over the copies that are used.
        """
        h, j, clipped = self._limits.clip(h, j)
        self._limits.check_coupling_sums(np.where(self.program.used_rows(used), j, 0.0))
        return h, j, clipped
