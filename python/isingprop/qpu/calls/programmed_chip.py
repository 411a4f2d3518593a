"""One chip, programmed for networks of one shape: makes calls of tasks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.problem import IsingProblem, all_fields
from isingprop.qpu.calls.call_parts import Part, split
from isingprop.qpu.calls.connection import Programmed, device_name, host
from isingprop.qpu.calls.program import Program
from isingprop.qpu.calls.record import Call, Tile
from isingprop.qpu.calls.tasks import Task
from isingprop.qpu.chip.limits import Limits
from isingprop.qpu.chip.schedules import check_anneal_schedule, check_h_gain_schedule
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding_cache import copies_of
from isingprop.qpu.estimate import access_time
from isingprop.qpu.settings import Settings, torque_compensation
from isingprop.util.checks import Doubles, Spins


class Chip:
    """As many copies of K_{H,O} on a device as fit, and all that a call to it needs.

    Args:
        device: a DWaveSampler, a MockDWaveSampler or an EmulatedQPU.
        num_hidden: H.
        num_output: O.
        settings: of the sampler.
        from_starts: whether its calls have start states; they are forward anneals otherwise, whatever the mode.
        num_copies: the most copies to use; None: all.

    Raises:
        ValueError: for a network that does not fit, or a schedule that the chip does not run.
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
        """See the class."""
        self._device = device
        self._settings = settings
        self._shape = num_hidden, num_output
        apex = settings.mode == "cyclic"
        graph = WorkingGraph.of(device)
        # Cyclic annealing's own embedding is good for its forward calls, too: two ancilla chains are then idle.
        self.copies = copies_of(graph, num_hidden + apex, num_output + apex)[:num_copies]
        self._cyclic = apex and from_starts
        self.program = Program(graph, self.copies, num_hidden, num_output, apex=self._cyclic)
        self._limits = Limits.of(device.properties, graph, self.program.rows)
        self._scale = settings.scale_for(num_hidden, num_output)
        self._parameters = self._checked_parameters(from_starts)
        self._notes = {
            "solver": device_name(device),
            "host": host(device),
            "graph_id": graph.graph_id,
            "scale": self._scale,
        }

    def calls(
        self, problem: IsingProblem, tasks: Iterable[Task], seed: int
    ) -> Iterator[Programmed]:
        """The calls that answer all tasks; those with equally many reads share calls.

        Raises:
            ValueError: for more reads than one call can take, a chain strength that is out of range, or couplings whose
                sums are.
        """
        fields = all_fields(problem)
        chain_strength = self._chain_strength(problem, fields)
        alike: dict[int, list[Task]] = {}
        for task in tasks:
            alike.setdefault(max(len(task.reads), self._settings.num_reads or 1), []).append(task)
        for reads, group in alike.items():
            parts = split(len(group), reads, len(self.copies))
            self.check_reads(parts[0])
            for part in parts:
                chosen = [group[slot.task] for slot in part.slots]
                yield self._programmed(problem, fields, chain_strength, chosen, part, seed)

    def check_reads(self, part: Part) -> None:
        """Refuses a call of more reads, or longer ones, than the chip allows."""
        qubits = sum(copy.num_qubits for copy in self.copies[: len(part.slots)])
        annealing_time = self._parameters.get("annealing_time")
        self._limits.check_reads(
            part.reads, partial(self.seconds, qubits), annealing_time=annealing_time
        )

    def seconds(self, num_qubits: int, reads: int) -> float:
        """QPU access time of a call; 0 on a device without timing data, an emulation."""
        if self._device.properties.get("problem_timing_data") is None:
            return 0.0
        return access_time(
            self._device.properties,
            num_qubits,
            reads,
            annealing_time=self._parameters.get("annealing_time"),
            anneal_schedule=self._parameters.get("anneal_schedule"),
        )

    def _checked_parameters(self, from_starts: bool) -> dict[str, Any]:
        """The solver's parameters that are the same in each call, found to be in the chip's ranges."""
        properties = self._device.properties
        anneal, gain = self._settings.schedules() if from_starts else (None, None)
        parameters: dict[str, Any] = {"auto_scale": False}
        if "answer_mode" in self._device.parameters:
            parameters["answer_mode"] = "raw"
        if anneal is None:
            return parameters | {"annealing_time": self._settings.annealing_time}
        parameters |= {
            "anneal_schedule": check_anneal_schedule(anneal, properties),
            "reinitialize_state": True,
        }
        if gain is not None:
            end = self._settings.annealing_time
            parameters["h_gain_schedule"] = check_h_gain_schedule(gain, end, properties)
        for name in ("initial_state", *parameters):
            if name not in self._device.parameters:
                raise ValueError(
                    f"solver {device_name(self._device)} must take the parameter {name}, got one that does not"
                )
        return parameters

    def _chain_strength(self, problem: IsingProblem, fields: Doubles) -> float:
        """In the units of the network's J: the one that is set, or that of the rule as far as the chip goes."""
        most = -self._limits.j_range[0] / self._scale
        if (chosen := self._settings.chain_strength) is not None:
            if chosen > most:
                raise ValueError(
                    f"chain_strength must be at most {most:.4g} on a chip with couplings down to "
                    f"{self._limits.j_range[0]:g} and a scale of {self._scale:.4g}, got {chosen:g}"
                )
            return chosen
        squares = np.square(problem.couplings, dtype=np.float64).ravel()
        if self._cyclic:  # fields are couplings to the apex
            squares = np.concatenate([squares, np.square(fields).mean(axis=0)])
        return min(torque_compensation(float(squares.mean()), *self._shape), most)

    def _programmed(
        self,
        problem: IsingProblem,
        fields: Doubles,
        chain_strength: float,
        tasks: list[Task],
        part: Part,
        seed: int,
    ) -> Programmed:
        """One call: its tasks, on copies that are others from call to call."""
        program, scale = self.program, self._scale
        random = np.random.Generator(
            np.random.PCG64([seed, int(problem.streams[tasks[0].problem])])
        )
        first = int(random.integers(program.num_copies))
        copies = [(first + k) % program.num_copies for k in range(len(tasks))]
        flips = np.ones((program.num_copies, program.num_spins), np.int8)
        if self._settings.spin_reversal:
            flips = 2 * random.integers(2, size=flips.shape, dtype=np.int8) - 1
        starts, linear, quadratic = self._logical(
            problem, fields, dict(zip(copies, tasks, strict=True))
        )
        used = np.isin(np.arange(program.num_copies), copies)
        h = program.fields(scale * linear * flips)
        j = program.couplings(scale * quadratic, flips, scale * chain_strength)
        h, j, clipped = self._clipped(h, j, used)
        qubits = program.used_qubits(used)
        from_starts = "anneal_schedule" in self._parameters
        call = Call(
            label=f"isingprop-{uuid.uuid4().hex[:16]}",
            tiles=tuple(
                Tile(tasks[k].request, copies[k], part.slots[k].first_read, part.slots[k].count)
                for k in np.argsort(copies)
            ),
            num_spins=problem.num_spins,
            qubits=program.qubits[qubits].astype(np.int32),
            chain_lengths=program.chain_lengths[used].astype(np.int32),
            flips=flips[used],
            initial_state=program.spread(starts * flips)[qubits]
            if from_starts
            else np.empty(0, np.int8),
            parameters={"num_reads": part.reads, **self._parameters},
            notes={
                **self._notes,
                "chain_strength": chain_strength,
                "clipped": clipped,
                "estimated_seconds": self.seconds(int(qubits.sum()), part.reads),
            },
        )
        return Programmed(call, *program.as_dicts(used, h, j))

    def _logical(
        self, problem: IsingProblem, fields: Doubles, tasks: dict[int, Task]
    ) -> tuple[Spins, Doubles, Doubles]:
        """Start states and fields (copies, spins), and couplings (copies, couplings), zero on copies without a task."""
        program, num_spins, num_couplings = self.program, problem.num_spins, problem.couplings.size
        starts: Spins = np.ones((program.num_copies, program.num_spins), np.int8)
        linear = np.zeros((program.num_copies, program.num_spins))
        quadratic = np.zeros((program.num_copies, program.num_couplings))
        for copy, task in tasks.items():
            quadratic[copy, :num_couplings] = problem.couplings.ravel()
            if task.start is not None:
                starts[copy, :num_spins] = task.start
            if self._cyclic:
                quadratic[copy, num_couplings:] = fields[task.problem]
                linear[copy] = -self._settings.bias * starts[copy]
            else:
                linear[copy] = fields[task.problem]
        return starts, linear, quadratic

    def _clipped(
        self, h: Doubles, j: Doubles, used: NDArray[np.bool_]
    ) -> tuple[Doubles, Doubles, int]:
        """Both in the chip's ranges, and how many of the values of the copies that are used were not."""
        h, j, clipped = self._limits.clip(h, j)
        self._limits.check_coupling_sums(np.where(self.program.used_rows(used), j, 0.0))
        return h, j, clipped
