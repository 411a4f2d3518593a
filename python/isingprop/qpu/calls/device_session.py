"""A device in use: opened when needed, programmed with networks, called again after failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from isingprop.qpu.calls.call_sender import CallSender, CallsUnderWay
from isingprop.qpu.calls.connection import (
    AnswerMalformed,
    ConnectionLost,
    ProblemFailed,
    SolverGone,
    device_name,
    is_stand_in,
    open_device,
)
from isingprop.qpu.calls.tasks import missing_reads
from isingprop.qpu.emulator.named_chip import solver_or_emulated

if TYPE_CHECKING:
    from isingprop.problem import IsingProblem
    from isingprop.qpu.calls.programmed_chip import ProgrammedChip
    from isingprop.qpu.calls.record import Record
    from isingprop.qpu.calls.tasks import MissingReads, Task
    from isingprop.qpu.settings import Settings

# Seconds to wait after the first, second, ... failure in a row. After nine minutes in all a failure
# is raised.
_DELAYS = (1, 2, 4, 8, 16, 32, *(60,) * 8)

logger = logging.getLogger("isingprop")


class DeviceSession:
    """A device, the networks programmed on it, and the calls under way.

    Args:
        solver: the name or the features of a solver, None for the account's default, the name of an
            emulated chip, or a device.
        settings: settings of the sampler.
        num_copies: max number of copies of a network, or None.
        budget: max seconds of QPU access time that all answers in a record may cost, or None.

    Raises:
        TypeError: for a solver that is none of these.
        ValueError: for an emulated chip that there is not, or a device that does not take the
            annealing time or the mode.
    """

    def __init__(
        self, solver: Any, settings: Settings, num_copies: int | None, budget: float | None
    ) -> None:
        """Checks the solver, and the settings against a device; nothing is opened."""
        # A device that is opened here is closed here, too.
        device = solver_or_emulated("solver", solver)
        self._opens = device is None or isinstance(device, str | Mapping)
        if not self._opens and (
            isinstance(device, type) or "topology" not in getattr(device, "properties", ())
        ):
            raise TypeError(
                "solver must be a name, features, or a device such as EmulatedQPU(), "
                f"got {solver!r}"
            )

        if not self._opens:
            settings.schedules(device.properties)
        self.solver = solver
        self.settings = settings
        self._num_copies = num_copies
        self._budget = budget
        self._device: Any = None if self._opens else device
        self._chips: dict[tuple[int, int, bool], ProgrammedChip] = {}
        self._under_way = CallsUnderWay()

    @property
    def device(self) -> Any:
        """The device, opened on first access.

        Raises:
            ConnectionError: without a D-Wave account.
            ValueError: for a solver that does not take the annealing time or the mode.
        """
        if self._device is None:
            device = open_device(self.solver)
            try:
                self.settings.schedules(device.properties)
            except ValueError:
                device.close()
                raise
            self._device = device
        return self._device

    @property
    def kind(self) -> str:
        """The name that the device has in settings.

        It is "qpu" for all chips of D-Wave, since one may replace another. A stand-in has a name of
        its own, with all that determines its answers where it provides that.
        """
        if self.is_billed:
            return "qpu"
        return f"{device_name(self._device)} {getattr(self._device, 'emulation', '')}".strip()

    @property
    def is_billed(self) -> bool:
        """Whether D-Wave bills the calls, as it does not for those of a stand-in."""
        return self._opens or not is_stand_in(self._device)

    def chip(self, num_hidden: int, num_output: int, *, from_starts: bool) -> ProgrammedChip:
        """Returns the device programmed with K_{H,O}, for calls with start states or without.

        Raises:
            ConnectionError: without a D-Wave account.
            ValueError: for a network that does not fit, or a budget where costs are unknown.
        """
        from isingprop.qpu.calls.programmed_chip import ProgrammedChip

        key = num_hidden, num_output, from_starts
        if key in self._chips:
            return self._chips[key]

        device = self.device
        if self._budget is not None and device.properties.get("problem_timing_data") is None:
            raise ValueError(
                f"budget must be None for {device_name(device)}, which has no timing data"
            )
        chip = ProgrammedChip(
            device,
            num_hidden,
            num_output,
            self.settings,
            from_starts=from_starts,
            num_copies=self._num_copies,
        )
        self._chips[key] = chip
        return chip

    def answer(self, record: Record, problem: IsingProblem, tasks: list[Task], seed: int) -> None:
        """Gets answers to all tasks into a record, waiting and trying again after failures.

        Raises:
            ConnectionError: where the connection stays broken for nine minutes.
            QPUBudgetError, RuntimeError, ValueError: like `CallSender` and `chip`.
        """
        failures, before = 0, 0
        while missing := missing_reads(tasks, record.index):
            left = sum(each.num_reads for each in missing)
            if left < before:  # an answer came: the next failure is the first in a row
                failures = 0
            before = left

            try:
                self._request(record, problem, missing, seed)
            except (ConnectionLost, SolverGone, ProblemFailed, AnswerMalformed) as error:
                if failures == len(_DELAYS):
                    raise ConnectionError(
                        f"D-Wave does not answer ({error}); {record.folder} has all so far, and to "
                        "give a call up for lost, delete its file there"
                    ) from None
                logger.warning("D-Wave: %s; trying again in %d s", error, _DELAYS[failures])
                time.sleep(_DELAYS[failures])
                failures += 1
                if isinstance(error, SolverGone):
                    self._fail_over()

    def with_settings(self, settings: Settings) -> DeviceSession:
        """Returns a session of the same device for other settings."""
        return DeviceSession(self.device, settings, self._num_copies, self._budget)

    def close(self) -> None:
        """Closes the device if it was opened here; the next access opens it again."""
        self._chips.clear()
        if self._opens and self._device is not None:
            self._device.close()
            self._device = None

    def _request(
        self, record: Record, problem: IsingProblem, missing: list[MissingReads], seed: int
    ) -> None:
        """Recovers pending calls where there are any; otherwise sends calls for missing reads."""
        sender = CallSender(self.device, record, self._budget, self._under_way)
        if pending := list(record.index.pending.values()):
            sender.recover(pending)
            return

        from_starts = missing[0].task.start is not None
        chip = self.chip(problem.num_hidden, problem.num_output, from_starts=from_starts)
        sender.run(chip.calls(problem, missing, seed))

    def _fail_over(self) -> None:
        """Replaces the solver by the account's next one, if there is another."""
        if not hasattr(self._device, "trigger_failover"):
            return
        try:
            self._device.trigger_failover()
        except Exception as error:  # the network may be down too: the next attempt finds out
            logger.warning("D-Wave: no other solver yet (%s)", type(error).__name__)
        self._chips.clear()
