"""D-Wave's quantum annealers as a sampler."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from isingprop.problem import IsingProblem
from isingprop.qpu.calls.connection import (
    ConnectionLost,
    Courier,
    Programmed,
    SolverGone,
    device_name,
    open_device,
)
from isingprop.qpu.calls.record import Record
from isingprop.qpu.calls.tasks import Task, states_of, tasks_of
from isingprop.qpu.settings import Settings
from isingprop.samplers.arguments import check_problem, read_number, start_states
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, real_number, seed_number, whole_number

if TYPE_CHECKING:
    from isingprop.qpu.calls.programmed_chip import Chip
    from isingprop.qpu.embed.embedding import Embedding
    from isingprop.qpu.estimate import Estimate

# Seconds to wait after the first, second, ... failure in a row: nine minutes in all, then it is the user's turn.
_DELAYS = (1, 2, 4, 8, 16, 32, *(60,) * 8)

_WRONG_CLASSES = 9  # of ten
_DIGEST_LENGTH = 8

logger = logging.getLogger("isingprop")


class DWave(BaseSampler):
    """A D-Wave quantum annealer, or what stands in for one.

        H(t) = -A(s)/2 sum_q X_q + B(s)/2 [g(t) sum_q h_q Z_q + sum_qp J_qp Z_q Z_p],   s, g as the mode has them

    The network is embedded as often as it fits (`isingprop qpu embed`), and several problems share each call. The
    physical problem is `scale` times the network's, with fields shared out over chains and couplings over couplers;
    auto_scale is off. Values out of the chip's range are clipped and counted. Broken chains go by majority, and by
    energy where there is none.

    - "forward" anneals from s = 0; it takes no start states.
    - "reverse" starts from the start states (`initial`), goes back to s_target, and on to s = 1.
    - "cyclic" does so under a bias toward the start state r, which decays: h_q is -bias r_q and g(t) goes from 0 to 1
      and back to 0. The problem's own fields go to couplers of a further spin that is coupled to all, in K_{H+1,O+1}.

    Without start states, as in tests, "reverse" and "cyclic" make a forward anneal.

    Every call is written into a folder before it is sent, and its answer before it is used. The same request (problem,
    stream, seed, reads, start states, settings) is never paid for twice: it gets the answer in the folder. After a
    broken connection or a killed process an answer is first looked for at D-Wave. A solver that goes offline is
    replaced by the account's next, with an embedding of its own.

    Args:
        mode: "forward", "reverse" or "cyclic".
        num_reads: reads of the chip for each problem (and start state), 1 to 10,000, of which the lowest are kept; None
            takes as many as are asked for.
        annealing_time: of a read, us; with a schedule, all of it.
        chain_strength: in the units of J, > 0 and at most 2 / scale; None: 1.414 sqrt(mean J^2) sqrt(mean degree) of
            each call's problem, as in D-Wave's uniform torque compensation, or 2 / scale where that is less.
        scale: the chip's J over the network's, > 0; None: that which makes the chain strength of an untrained network
            1.6 of at most 2, which is 2.8 for 120 x 40; a third of it in cyclic mode.
        s_target: lowest anneal fraction of "reverse" and "cyclic", in [0, 1).
        bias: of "cyclic", in the units of J, >= 0.
        spin_reversal: turn over a random half of the spins (fields, couplings and start states with them) in each call,
            which averages over what the chip favours.
        descend: end each read with a zero-temperature descent on the CPU, as Annealing does. Without it, spins that
            heat or the read-out has turned over drive all fields up in training. The record has the reads as they came.
        num_copies: the most copies of the network to use; None: all that fit.
        budget: seconds of QPU access time that the answers in the folder may cost in all; a call that could go beyond
            raises QPUBudgetError before it is sent.
        record: the folder; None: runs/qpu-<digest of the settings and the device>, so that a script that is run again
            plays its answers back.
        solver: the name or the features of a solver of your account, as in dwave.system.DWaveSampler; or a
            DWaveSampler, MockDWaveSampler or EmulatedQPU; None: the account's default.

    Raises:
        ValueError: for a value out of its range.

    Nothing is opened before the first call. The token is where `dwave setup` has put it, and nowhere else.

    Example:
        >>> import isingprop as ip, tempfile
        >>> problem = ip.IsingProblem(couplings=[[-1.0]], hidden_fields=[[0.5]], output_fields=[[0.0]])
        >>> qpu = ip.DWave(solver=ip.EmulatedQPU("zephyr", size=1), record=tempfile.mkdtemp())
        >>> states = qpu.sample(problem, num_reads=10, seed=0)
        >>> states.lowest().spins
        array([[[-1, -1]]], dtype=int8)

    References:
        arXiv:2506.05244, Section IV; Wang, Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y (cyclic annealing). What
        the authors set on the chip is not published.
    """

    def __init__(
        self,
        mode: str = "forward",
        *,
        num_reads: int | None = None,
        annealing_time: float = 20.0,
        chain_strength: float | None = None,
        scale: float | None = None,
        s_target: float = 0.45,
        bias: float = 0.4,
        spin_reversal: bool = False,
        descend: bool = True,
        num_copies: int | None = None,
        budget: float | None = None,
        record: str | os.PathLike[str] | None = None,
        solver: Any = None,
    ) -> None:
        """See the class."""
        self._settings = Settings(
            mode,
            num_reads,
            annealing_time,
            chain_strength,
            scale,
            s_target,
            bias,
            spin_reversal,
            descend,
        )
        self._num_copies = (
            None if num_copies is None else whole_number("num_copies", num_copies, least=1)
        )
        self._budget = None if budget is None else real_number("budget", budget, least=0.0)
        self._choice = solver
        self._ours = solver is None or isinstance(solver, str | Mapping)  # to open and to close
        if not self._ours and (
            isinstance(solver, type) or "topology" not in getattr(solver, "properties", ())
        ):
            raise TypeError(
                f"solver must be a name, features, or a device such as EmulatedQPU(), got {solver!r}"
            )
        #: The folder of calls and answers; another one may be set before the first call.
        self.record = self._own_record() if record is None else Path(record).absolute()
        self._device: Any = None
        self._written: Record | None = None
        self._chips: dict[tuple[int, int, bool], Chip] = {}
        self._flying: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Mode and folder; never a token."""
        return f"DWave(mode={self._settings.mode!r}, record={str(self.record)!r})"

    @property
    def takes_initial(self) -> bool:
        """Whether sample() takes start states."""
        return self._settings.mode != "forward"

    @property
    def device(self) -> Any:
        """What runs the calls, opened when it is first asked for.

        Raises:
            ConnectionError: without a D-Wave account.
        """
        if self._device is None:
            self._device = open_device(self._choice) if self._ours else self._choice
        return self._device

    @property
    def qpu_seconds(self) -> float:
        """QPU access time, in seconds, that all answers in the folder have cost."""
        return self._opened_record().index.seconds

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the arguments of the constructor by name; `deep` has no effect."""
        return {
            **asdict(self._settings),
            "num_copies": self._num_copies,
            "budget": self._budget,
            "record": None if self.record == self._own_record() else self.record,
            "solver": self._choice,
        }

    def set_params(self, **params: Any) -> Self:
        """Changes arguments of the constructor in place, once open connections are closed."""
        self.close()
        return super().set_params(**params)

    def _own_record(self) -> Path:
        """Returns the folder of a sampler that was given none."""
        return Path("runs", f"qpu-{_digest(self.settings())}").absolute()

    def settings(self) -> dict[str, Any]:
        """What tells this sampler from others in a checkpoint and in a record, as JSON has it.

        All chips of D-Wave are one device, "qpu", since one may take another's place; each stand-in is another.
        """
        kind = "qpu" if self._ours or hasattr(self._choice, "client") else _stand_in(self._choice)
        return {**self._settings.as_json(), "device": kind}

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Reads num_reads states of each problem, from the folder or from the chip.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: names the request, and decides on copies and spin reversal. The chip knows none: the same seed gives
                the same states because they are recorded. None draws one, which makes the request a new one.
            initial: int8 start states (B, R, N), or with a length of 1 in place of B or R; each read with one of its
                own is a run of the chip of its own.

        Returns:
            States with the energies of the problem as given. `info` has the seed, "calls" (label, problem id, solver,
            graph id, scale, chain strength, parameters, timing, chain breaks, clipped values), and of all of them
            "qpu_seconds", "chain_break_fraction", "clipped" and "beta_effective", that of the reads before a descent.

        Raises:
            ValueError: for num_reads < 1, start states that do not fit or that the mode does not take, fields that are
                not finite, a network that does not fit on the chip, or what the chip's ranges do not allow.
            QPUBudgetError: before a call that could go beyond the budget.
            ConnectionError: without a D-Wave account, or where the connection stays broken for nine minutes.
            OSError: where the folder cannot be written.
            RuntimeError: where D-Wave refuses a problem.
        """
        tasks, num_reads, seed = self._tasks(problem, num_reads, seed, initial)
        record = self._opened_record()
        with record.turn:
            self._fill(record, problem, tasks, seed)
        return states_of(
            problem, num_reads, seed, tasks, record.index, descend=self._settings.descend
        )

    def _fill(self, record: Record, problem: IsingProblem, tasks: list[Task], seed: int) -> None:
        """Gets answers to all tasks into the record."""
        failures, left = 0, len(tasks)
        # Equal problems of one stream are one request.
        while missing := {task.request: task for task in tasks if task.request not in record.index}:
            if len(missing) < left:  # in a row are those without an answer in between
                failures, left = 0, len(missing)
            try:
                self._ask(record, problem, list(missing.values()), seed)
            except (ConnectionLost, SolverGone) as error:
                if failures == len(_DELAYS):
                    raise ConnectionError(
                        f"D-Wave does not answer ({error}); {self.record} has all so far, and to give a call up for "
                        "lost, delete its file there"
                    ) from None
                logger.warning("D-Wave: %s; trying again in %d s", error, _DELAYS[failures])
                time.sleep(_DELAYS[failures])
                failures += 1
                if isinstance(error, SolverGone):
                    self._fail_over()

    def copies(self, num_hidden: int, num_output: int) -> list[Embedding]:
        """The embeddings of K_{H,O} (in cyclic mode of K_{H+1,O+1}) that calls use; nothing is sent.

        Raises:
            ConnectionError: without a D-Wave account.
            ValueError: for a network that does not fit on the chip.
        """
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        num_output = whole_number("num_output", num_output, least=1)
        return self._chip(num_hidden, num_output, from_starts=False).copies

    def first_request(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> Programmed:
        """The first call that sample() would make, with nothing sent or written."""
        tasks, _, seed = self._tasks(problem, num_reads, seed, initial)
        chip = self._chip(problem.num_hidden, problem.num_output, from_starts=initial is not None)
        return next(chip.calls(problem, {task.request: task for task in tasks}.values(), seed))

    def estimate(
        self,
        *,
        num_images: int,
        epochs: int,
        num_states: int = 20,
        batch_size: int = 1,
        num_test: int = 0,
        num_test_reads: int = 10,
        num_hidden: int = 120,
        num_output: int = 40,
        references: int | None = None,
    ) -> Estimate:
        """Calls and seconds of QPU access time of a training run, from the solver's own timing data; nothing is sent.

        Args:
            num_images: training images.
            epochs: passes over them.
            num_states: m, as in Trainer.
            batch_size: images per update, as in Trainer; those of one update share calls.
            num_test: test images of the test after each epoch.
            num_test_reads: of each, as in Trainer.
            num_hidden: H.
            num_output: O.
            references: different references of each image, over which its reads are shared out; None: 9, the wrong
                classes of ten, but 0 in mode "forward".

        Raises:
            ValueError: for a value out of range, or a solver without timing data.
            ConnectionError: without a D-Wave account.

        Example:
            >>> import isingprop as ip
            >>> qpu = ip.DWave(solver=ip.EmulatedQPU("zephyr", size=4))
            >>> price = qpu.estimate(num_images=1000, epochs=13, num_hidden=30, num_output=20)
            >>> price.calls
            13000
        """
        from isingprop.qpu.estimate import estimate

        if references is None:
            references = _WRONG_CLASSES if self.takes_initial else 0
        references = whole_number(
            "references", references, least=0, most=None if self.takes_initial else 0
        )
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        chip = self._chip(
            num_hidden, whole_number("num_output", num_output, least=1), from_starts=references > 0
        )
        return estimate(
            self.device.properties,
            [copy.num_qubits for copy in chip.copies],
            num_images=num_images,
            epochs=epochs,
            num_states=num_states,
            batch_size=batch_size,
            num_test=num_test,
            num_test_reads=num_test_reads,
            references=references,
            least_reads=self._settings.num_reads or 1,
            check=chip.check_reads,
            annealing_time=self._settings.annealing_time,
            anneal_schedule=self._settings.schedules()[0] if references else None,
        )

    def close(self) -> None:
        """Lets go of the folder and of the connection, whose dozen threads end; the next call opens both again.

        Calls that are under way are waited for.
        """
        if self._written is not None:
            self._written.leave(self)
            self._written = None
        if self._ours and self._device is not None:
            self._device.close()
            self._device = None
            self._chips.clear()

    def _tasks(
        self, problem: IsingProblem, num_reads: int, seed: int | None, initial: Spins | None
    ) -> tuple[list[Task], int, int]:
        check_problem(problem)
        num_reads, seed, initial = read_number(num_reads), seed_number(seed), start_states(initial)
        if initial is not None and not self.takes_initial:
            raise ValueError(
                "initial must be None for DWave(mode='forward'), which takes no start states"
            )
        return tasks_of(problem, num_reads, seed, initial, self.settings()), num_reads, seed

    def _ask(self, record: Record, problem: IsingProblem, tasks: list[Task], seed: int) -> None:
        """Gets answers to tasks: those that may be waiting at D-Wave first, or else new ones."""
        courier = Courier(self.device, record, self._budget, self._flying)
        if pending := list(record.index.pending.values()):
            for call in pending:
                courier.recover(call)
            return
        chip = self._chip(
            problem.num_hidden, problem.num_output, from_starts=tasks[0].start is not None
        )
        courier.run(chip.calls(problem, tasks, seed))

    def _opened_record(self) -> Record:
        if self._written is None or not self._written.is_there():
            self._written = Record.of(self.record, self.settings(), self)
        return self._written

    def _chip(self, num_hidden: int, num_output: int, *, from_starts: bool) -> Chip:
        from isingprop.qpu.calls.programmed_chip import Chip

        key = num_hidden, num_output, from_starts
        if key not in self._chips:
            device = self.device
            if self._budget is not None and device.properties.get("problem_timing_data") is None:
                raise ValueError(
                    f"budget must be None for {device_name(device)}, which has no timing data"
                )
            self._chips[key] = Chip(
                device,
                num_hidden,
                num_output,
                self._settings,
                from_starts=from_starts,
                num_copies=self._num_copies,
            )
        return self._chips[key]

    def _fail_over(self) -> None:
        """Goes on with the account's next solver; where there is no other, with the same."""
        if not hasattr(self._device, "trigger_failover"):
            return
        try:
            self._device.trigger_failover()
        except Exception as error:  # the network may be down, too: the next attempt finds out
            logger.warning("D-Wave: no other solver yet (%s)", type(error).__name__)
        self._chips.clear()


def _stand_in(device: Any) -> str:
    """The name of what is no chip of D-Wave, with all that decides its answers where it says so."""
    return f"{device_name(device)} {getattr(device, 'emulation', '')}".strip()


def _digest(settings: Mapping[str, Any]) -> str:
    """A short name of settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[
        :_DIGEST_LENGTH
    ]
