"""A run on a local service: stopped by its budget, hit by faults, killed, resumed and replayed."""

from __future__ import annotations

import math
import signal
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isingprop.cli.rehearsal.child_commands import ChildCommand, CommandError
from isingprop.cli.run_folder import RunFolder
from isingprop.qpu.calls.call_files import load_call
from isingprop.qpu.chip.schedules import MICROSECONDS_PER_SECOND
from isingprop.qpu.local_service import service_faults as faults
from isingprop.qpu.local_service.service import LocalService, SubmittedProblem
from isingprop.samplers.dwave import DWave
from isingprop.samplers.replay import Replay
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.cli.run_settings import RunSettings
    from isingprop.problem import IsingProblem
    from isingprop.qpu.calls.call_data import Call
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.training.evaluation import EpochRecord

#: Faults of a rehearsal by name: the point of a call, how many requests at it are let through
#: first, and what happens. Each befalls another request.
FAULTS: dict[str, tuple[str, int, faults.Action]] = {
    "solver offline": ("submit", 0, faults.reject("Solver is offline")),
    "reply lost": ("accepted", 1, faults.drop),
    "request lost": ("submit", 2, faults.drop),
    "answer cut off": ("answer", 1, faults.cut),
    "server error": ("answer", 3, faults.http_error(500)),
}
_SOLVER = "rehearsal"  # the name of the chip's solver


@dataclass(frozen=True)
class BudgetStop:
    """What a budget left of the run that it stopped."""

    message: str | None  #: why the run was stopped; None if it was not
    budget: float  #: seconds of QPU access time
    spent: float  #: seconds of QPU access time
    num_paid: int
    num_kept: int  #: answers on disk


@dataclass(frozen=True)
class Replayed:
    """A run repeated from the recorded answers of another one, without interruption."""

    history: list[EpochRecord]
    same_network: bool  #: whether it ended in the same network, bit by bit
    local_field: float  #: root mean square over spins and images, in the unit of J


@dataclass
class RehearsedRun:
    """What is known of a rehearsed run; None where it did not come so far."""

    paid: list[SubmittedProblem]  #: the service's own list
    #: Calls on disk in the end, with the timing data of their answers; None without an answer.
    calls: list[tuple[Call, dict[str, Any] | None]] = field(default_factory=list)
    stop: BudgetStop | None = None
    faults: set[str] = field(default_factory=set)  #: names of those that happened
    num_paid_at_kill: int | None = None
    epochs: int | None = None  #: of the resumed run in its end
    replayed: Replayed | None = None
    failure: str | None = None  #: why it has not come to its end


def rehearse_run(
    settings: RunSettings, small_budget: float, chip: EmulatedQPU, folder: Path
) -> RehearsedRun:
    """Trains on a local service, through D-Wave's client, in the command's own run folder.

    Args:
        settings: settings of the run.
        small_budget: seconds of QPU access time that stop it after its first calls.
        chip: the chip of the service.
        folder: folder for the run.
    """
    run_folder = RunFolder.create(folder / "run", replace(settings, qpu_solver=_SOLVER))
    run_folder.unlock()  # for the commands that run there
    with LocalService({_SOLVER: chip}) as service:
        run = RehearsedRun(service.paid)
        stages = _Stages(service, run_folder, run)
        try:
            stages.stop_by_budget(small_budget)
            stages.kill_among_faults()
            stages.resume()
        except CommandError as error:
            run.failure = str(error)

    run.calls = _calls(run_folder)
    if run.failure is None:
        say("isingprop: replaying the recorded answers")
        try:
            run.replayed = _replay(settings, run_folder)
        except ValueError as error:  # an answer is missing
            run.failure = str(error)
    return run


class _Stages:
    """The parts of a rehearsed run, each of which is the command `train --resume`."""

    def __init__(self, service: LocalService, folder: RunFolder, run: RehearsedRun) -> None:
        self._service = service
        self._folder = folder
        self._run = run

    def stop_by_budget(self, budget: float) -> None:
        """Runs until the budget is spent."""
        say("isingprop: running with a budget for two calls")
        with self._command(budget) as command:
            summary = command.result()

        self._run.stop = BudgetStop(
            message=summary["stopped"],
            budget=budget,
            spent=access_seconds(self._service.paid),
            num_paid=len(self._service.paid),
            num_kept=sum(timing is not None for _, timing in _calls(self._folder)),
        )

    def kill_among_faults(self) -> None:
        """Runs on through faults, until the run is killed after its first epoch."""
        say(
            "isingprop: running through faults, with waits of up to 10 s, until the run is killed "
            "in its second epoch"
        )
        for fault, (point, skip, action) in FAULTS.items():
            self._service.at(point, self._noted(fault, action), skip=skip)

        with self._command(None) as command:
            self._service.at("accepted", self._killing(command), times=None)
            if command.wait() != -signal.SIGKILL:
                command.result()

    def resume(self) -> None:
        """Runs on to the end."""
        say("isingprop: resuming the run")
        with self._command(None) as command:
            self._run.epochs = command.result()["epochs"]

    def _command(self, budget: float | None) -> AbstractContextManager[ChildCommand]:
        self._folder.settings = replace(self._folder.settings, qpu_budget=budget)
        self._folder.write_settings()
        path = self._folder.path
        arguments = ["train", "--resume", str(path), "--json"]
        return ChildCommand(arguments, self._service.environment, path.parent).running()

    def _noted(self, fault: str, action: faults.Action) -> faults.Action:
        def noted(exchange: faults.Exchange) -> None:
            self._run.faults.add(fault)
            action(exchange)

        return noted

    def _killing(self, command: ChildCommand) -> faults.Action:
        def kill(_: faults.Exchange) -> None:
            if self._run.num_paid_at_kill is None and self._folder.checkpoint.is_file():
                self._run.num_paid_at_kill = len(self._service.paid)
                command.kill()
                raise faults.DropError

        return kill


def access_seconds(paid: list[SubmittedProblem]) -> float:
    """Returns the seconds of QPU access time of paid problems."""
    return sum(problem.qpu_access_time for problem in paid) / MICROSECONDS_PER_SECOND


def _calls(folder: RunFolder) -> list[tuple[Call, dict[str, Any] | None]]:
    return [load_call(path) for path in sorted((folder.path / "qpu").glob("*.safetensors"))]


def _replay(settings: RunSettings, folder: RunFolder) -> Replayed:
    """Repeats the run of a folder from its recorded answers."""
    images = settings.load_data()
    trainer = settings.make_trainer(images)
    for role in ("sampler", "test_sampler", "warm_sampler"):
        if isinstance(getattr(trainer, role), DWave):
            trainer.replace_samplers(**{role: Replay(folder.path)})
    trainer.fit(images, settings.epochs)

    again = folder.path / "replayed.safetensors"
    trainer.model.save(again)
    same_network = again.read_bytes() == folder.model.read_bytes()
    problem = trainer.network.posed_problem(images.train_images)
    return Replayed(trainer.history, same_network, _local_field(problem))


def _local_field(problem: IsingProblem) -> float:
    """Returns the root mean square of the local fields of all spins, in random states."""
    hidden, output = (
        np.square(fields, dtype=np.float64).mean(axis=0).sum()
        for fields in (problem.hidden_fields, problem.output_fields)
    )
    # Each coupling acts on two spins.
    couplings = 2 * np.square(problem.couplings, dtype=np.float64).sum()
    return math.sqrt((hidden + output + couplings) / problem.num_spins)
