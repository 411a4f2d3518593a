"""Recorded answers of a D-Wave sampler as a sampler."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from isingprop.problem import IsingProblem
from isingprop.qpu.calls.record import Index, read_settings
from isingprop.qpu.calls.tasks import Task, states_of, tasks_of
from isingprop.samplers.arguments import check_problem, read_number, start_states
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, seed_number


class Replay(BaseSampler):
    """Plays the recorded answers of a DWave sampler back, to the same bits, without a chip or an account.

    Args:
        folder: that of DWave(record=...), or a run folder of the command, which has it as "qpu".

    Raises:
        FileNotFoundError: for a folder without a record.

    Example:
        >>> import isingprop as ip, tempfile
        >>> problem = ip.IsingProblem(couplings=[[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> folder = tempfile.mkdtemp()
        >>> states = ip.DWave(solver=ip.EmulatedQPU("zephyr", size=1), record=folder).sample(problem, seed=0)
        >>> bool((ip.Replay(folder).sample(problem, seed=0).spins == states.spins).all())
        True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """See the class."""
        self._folder = Path(folder)
        if (self._folder / "qpu").is_dir():
            self._folder = self._folder / "qpu"
        self._settings = read_settings(self._folder)
        if missing := sorted({"mode", "descend"} - self._settings.keys()):
            raise ValueError(
                f"{self._folder / 'settings.json'} must hold the settings of DWave, got no {missing[0]}"
            )
        self._index = Index(self._folder)

    def __repr__(self) -> str:
        """The folder."""
        return f"Replay({str(self._folder)!r})"

    @property
    def takes_initial(self) -> bool:
        """Whether the recorded sampler took start states."""
        return bool(self._settings["mode"] != "forward")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the folder; `deep` has no effect."""
        return {"folder": self._folder}

    def settings(self) -> dict[str, Any]:
        """Those of the recorded sampler: a checkpoint of its run goes on with its answers."""
        return self._settings

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """The states that DWave.sample gave for the same arguments.

        Raises:
            ValueError: where no answer was recorded for one of the problems, or without a seed.
        """
        tasks = self._tasks(problem, num_reads, seed, initial)
        for task in tasks:
            if task.request not in self._index:
                raise ValueError(
                    f"{self._folder} must hold an answer to problem {task.problem}, got none"
                )
        return states_of(
            problem,
            num_reads,
            seed_number(seed),
            tasks,
            self._index,
            descend=self._settings["descend"],
        )

    def has(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> bool:
        """Whether sample() has all answers for these arguments."""
        return all(
            task.request in self._index for task in self._tasks(problem, num_reads, seed, initial)
        )

    def _tasks(
        self, problem: IsingProblem, num_reads: int, seed: int | None, initial: Spins | None
    ) -> list[Task]:
        check_problem(problem)
        num_reads, initial = read_number(num_reads), start_states(initial)
        if seed is None:
            raise ValueError("seed must be that of the recorded call, got None")
        return tasks_of(problem, num_reads, seed_number(seed), initial, self._settings)
