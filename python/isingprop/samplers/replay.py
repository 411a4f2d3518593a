"""A sampler that returns the recorded answers of a D-Wave sampler."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from isingprop.problem import IsingProblem
from isingprop.qpu.calls.record import Index, read_settings
from isingprop.qpu.calls.tasks import Task, missing_reads, states_of, tasks_of
from isingprop.qpu.settings import FROM_STARTS
from isingprop.samplers.arguments import check_problem, read_number, start_states
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, seed_number


class Replay(BaseSampler):
    """Returns the recorded states of a DWave sampler, bit by bit, without a chip or an account.

    Args:
        folder: the folder of DWave(record=...), or a run folder, which has it under the name
            "qpu".

    Raises:
        FileNotFoundError: for a folder without a record.
        ValueError: for a record that does not read or that is not from a DWave sampler.

    Example:
        >>> import isingprop as ip, tempfile
        >>> fields = {"hidden_fields": [[0.5]], "output_fields": [[0.0]]}
        >>> problem = ip.IsingProblem(couplings=[[-1.0]], **fields)
        >>> folder = tempfile.mkdtemp()
        >>> qpu = ip.DWave(solver=ip.EmulatedQPU("zephyr", size=1), record=folder)
        >>> states = qpu.sample(problem, seed=0)
        >>> bool((ip.Replay(folder).sample(problem, seed=0).spins == states.spins).all())
        True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Reads the settings and the index of the record."""
        self._folder = Path(folder)
        if (self._folder / "qpu").is_dir():
            self._folder = self._folder / "qpu"

        self._settings = read_settings(self._folder)
        if missing := sorted({"mode", "descend"} - self._settings.keys()):
            raise ValueError(
                f"{self._folder / 'settings.json'} must hold the settings of DWave, "
                f"got no {missing[0]}"
            )
        self._index = Index(self._folder)

    def __repr__(self) -> str:
        """Returns the folder in a constructor call."""
        return f"Replay({str(self._folder)!r})"

    @property
    def takes_initial(self) -> bool:
        """Whether the recorded sampler took start states."""
        return self._settings["mode"] in FROM_STARTS

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the folder; `deep` has no effect."""
        return {"folder": self._folder}

    def settings(self) -> dict[str, Any]:
        """Returns the settings of the recorded sampler, whose checkpoints fit this one, too."""
        return self._settings

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Returns the states that DWave.sample returned for the same arguments.

        Raises:
            ValueError: where no answer was recorded for one of the problems, or without a seed.
        """
        tasks = self._tasks(problem, num_reads, seed, initial)
        for missing in missing_reads(tasks, self._index):
            got = "a part of one" if missing.num_reads < missing.task.num_reads else "none"
            raise ValueError(
                f"{self._folder} must hold an answer to problem {missing.task.problem}, got {got}"
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
        """Returns whether all answers for these arguments are recorded."""
        return not missing_reads(self._tasks(problem, num_reads, seed, initial), self._index)

    def _tasks(
        self, problem: IsingProblem, num_reads: int, seed: int | None, initial: Spins | None
    ) -> list[Task]:
        """Returns the tasks of checked arguments."""
        check_problem(problem)
        num_reads, initial = read_number(num_reads), start_states(initial)
        if seed is None:
            raise ValueError("seed must be that of the recorded call, got None")
        return tasks_of(problem, num_reads, seed_number(seed), initial, self._settings)
