"""A sampler that runs on D-Wave's quantum annealers."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike

from isingprop.problem import IsingProblem
from isingprop.qpu.calls.device_session import DeviceSession
from isingprop.qpu.calls.record import Record
from isingprop.qpu.calls.tasks import states_of
from isingprop.qpu.settings import Settings
from isingprop.samplers.arguments import check_problem
from isingprop.samplers.planned_calls import PlannedCalls
from isingprop.states import States
from isingprop.util.checks import Doubles, Spins, real_number, seed_number, whole_number
from isingprop.util.kept_arguments import KeptArguments

_DIGEST_LENGTH = 8  # hex digits in the name of a sampler's own folder


class DWave(KeptArguments, PlannedCalls):
    """A D-Wave quantum annealer, or a device that stands in for one.

        H(t) = -A(s)/2 sum_q X_q + B(s)/2 [g(t) sum_q h_q Z_q + sum_qp J_qp Z_q Z_p]

    with the anneal fraction s(t) and the gain g(t) of the mode. The network is embedded as often as
    it fits (`isingprop qpu embed`), and several problems share each call. The physical problem is
    `scale` times the network's, with fields shared out over chains and couplings over couplers;
    auto_scale is off. Values out of the chip's range are clipped and counted. A broken chain has
    the value of the majority of its qubits, or the one of lower energy where there is a tie.

    - "forward" anneals from s = 0 and takes no start states.
    - "reverse" starts from the start states (`initial`), goes back to s_target, and on to s = 1.
    - "cyclic" goes the same way under a decaying bias toward the start state r: h_q is -bias r_q,
      and g(t) goes from 0 to 1 and back to 0. The problem's own fields become couplings to a
      further spin that is coupled to all others, in an embedding of K_{H+1,O+1}.
    - "fast" anneals forward by D-Wave's fast-anneal protocol, in 5 ns and more, which takes no h:
      fields become couplings to a further spin as in "cyclic".

    Without start states, as for test images, "reverse" and "cyclic" anneal forward.

    Every call is written into a folder before it is sent, and its answer before it is used. The
    same request (problem, stream, seed, reads, start states, settings) is never paid for twice: its
    answer is taken from the folder. After a broken connection or a killed process an answer is
    first looked for at D-Wave. A solver that goes offline is replaced by the account's next one,
    with an embedding of its own.

    Nothing is opened before the first call. The token is read from where `dwave setup` put it, and
    is written nowhere else.

    Args:
        mode: "forward", "reverse", "cyclic" or "fast".
        num_reads: reads of the chip for each problem (and start state), of which those of lowest
            energy are kept; None makes as many as requested. Several calls make more than one can.
        annealing_time: time of a read in us; with a schedule, the whole schedule. It must be in the
            solver's annealing_time_range and a multiple of 0.01; "reverse" and "cyclic" need time
            for ramps as steep as the solver allows. In mode "fast" it must be in the solver's
            fast_anneal_time_range and a multiple of 1e-6, of which the chip keeps about 0.05 %.
        chain_strength: in the units of J, > 0 and at most 2 / scale; None takes D-Wave's uniform
            torque compensation, 1.414 sqrt(mean J^2) sqrt(mean degree) of each call's problem, but
            at least 0.5 / scale, which heat seldom breaks, and at most 2 / scale.
        scale: the chip's J over the network's, > 0; None makes the chain strength of an untrained
            network 1.6, where the chip allows 2: 2.8 for 120 x 40, a third of it in modes "cyclic"
            and "fast".
        s_target: lowest anneal fraction of "reverse" and "cyclic", in [0, 1).
        bias: bias of "cyclic", in the units of J, >= 0.
        spin_reversal: whether a random half of the spins is reversed in each call, together with
            their fields, couplings and start states, which averages out biases of the chip. A
            number n shares the reads of each problem (and start state) out over at least n calls,
            each with another half; each call takes its time for programming.
        descend: whether each read ends with a zero-temperature descent on the CPU, as in Annealing.
            Without it, spins flipped by heat or by the read-out increase all fields in training.
            The record has the reads before the descent.
        reinitialize_state: whether each read of "reverse" and "cyclic" starts from the start state;
            False: only the first read of each call does, and each other one starts where the last
            one ended.
        flux_biases: flux bias of each qubit of the solver, working or not, in units of Phi_0, as
            `shim` returns them; D-Wave's own compensation of drift is then off. They are made for
            one chip: name the solver.
        anneal_offsets: by how much each qubit of the solver, working or not, is ahead of the anneal
            or behind it, in D-Wave's normalized units, each in its anneal_offset_ranges.
        num_copies: max number of copies of the network to use; None uses all that fit.
        budget: max seconds of QPU access time that all answers in the folder may cost; a call that
            could exceed it raises QPUBudgetError before it is sent. That of an emulated chip, which
            nobody bills, is what a real one would take.
        record: the folder, which the first call makes; None takes runs/qpu-<digest of the settings
            and the device>, so that a script that is run again gets the recorded answers.
        solver: the name or the features of a solver of your account, as in
            dwave.system.DWaveSampler; "emulated:zephyr", "emulated:zephyr:4" (a perfect Z_4) or
            "emulated:advantage2_system1" (its working graph and energy scales), and so for pegasus
            and advantage_system4.1, for an EmulatedQPU; or a DWaveSampler, MockDWaveSampler or
            EmulatedQPU; None takes the account's default.

    Raises:
        ValueError: for a value out of its range, also of a given device's; a named solver's ranges
            are checked when it is opened.
        TypeError: for a value of another type.

    Example:
        >>> import isingprop as ip, tempfile
        >>> fields = {"hidden_fields": [[0.5]], "output_fields": [[0.0]]}
        >>> problem = ip.IsingProblem(couplings=[[-1.0]], **fields)
        >>> qpu = ip.DWave(solver="emulated:zephyr:1", record=tempfile.mkdtemp())
        >>> states = qpu.sample(problem, num_reads=10, seed=0)
        >>> states.lowest().spins
        array([[[-1, -1]]], dtype=int8)

    References:
        arXiv:2506.05244, Section IV, which does not give the authors' settings of the chip; Wang,
        Yeh & Kamenev 2022, doi:10.1038/s41467-022-33179-y (cyclic annealing).
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
        spin_reversal: bool | int = False,
        descend: bool = True,
        reinitialize_state: bool = True,
        flux_biases: ArrayLike | None = None,
        anneal_offsets: ArrayLike | None = None,
        num_copies: int | None = None,
        budget: float | None = None,
        record: str | os.PathLike[str] | None = None,
        solver: Any = None,
    ) -> None:
        """Checks the arguments; nothing is opened or written."""
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
            reinitialize_state,
            flux_biases,  # type: ignore[arg-type]  # Settings checks and converts both
            anneal_offsets,  # type: ignore[arg-type]
        )
        self._num_copies = (
            None if num_copies is None else whole_number("num_copies", num_copies, least=1)
        )
        self._budget = None if budget is None else real_number("budget", budget, least=0.0)
        self._session = DeviceSession(solver, self._settings, self._num_copies, self._budget)

        self.record = self._own_record() if record is None else Path(record).absolute()
        self._opened: Record | None = None

    def __repr__(self) -> str:
        """Returns the mode and the folder; a token never shows."""
        return f"DWave(mode={self._settings.mode!r}, record={str(self.record)!r})"

    @property
    def record(self) -> Path:
        """The folder of calls and answers; it may be set before the first call."""
        return self._record

    @record.setter
    def record(self, folder: str | os.PathLike[str]) -> None:
        self._record = Path(folder)

    @property
    def device(self) -> Any:
        """The device that runs the calls, opened on first access.

        Raises:
            ConnectionError: without a D-Wave account.
        """
        return self._session.device

    @property
    def qpu_seconds(self) -> float:
        """The QPU access time that all answers in the folder have cost, in seconds.

        Unless the calls are billed, it is an estimate of what a real chip would take.
        """
        return self._opened_record().index.seconds

    @property
    def is_billed(self) -> bool:
        """Whether D-Wave bills the calls, as it does not for those of an emulated chip."""
        return self._session.is_billed

    @property
    def calls_estimated(self) -> int:
        """The number of answers in the folder that do not say their access time.

        `qpu_seconds` and the budget count D-Wave's own estimate for them.
        """
        return self._opened_record().index.num_estimated

    @property
    def energies_wrong(self) -> int:
        """The number of reads in the folder whose energy in the answer is not that of their states.

        The energies of answers are not used. They are checked as answers come; answers that another
        process fetches than the one that sent their calls are not checked.
        """
        return self._opened_record().index.energies_wrong

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the arguments of the constructor by name; `deep` has no effect."""
        return {
            **asdict(self._settings),
            "num_copies": self._num_copies,
            "budget": self._budget,
            "record": None if self.record == self._own_record() else self.record,
            "solver": self._session.solver,
        }

    def set_params(self, **params: Any) -> Self:
        """Closes the folder and the connection, and changes arguments of the constructor."""
        self.close()
        return super().set_params(**params)

    def _own_record(self) -> Path:
        """Returns the folder that is used where none is given."""
        settings = json.dumps(self.settings(), sort_keys=True).encode()
        digest = hashlib.sha256(settings).hexdigest()[:_DIGEST_LENGTH]
        return Path("runs", f"qpu-{digest}").absolute()

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Samples num_reads states of each problem, from the folder or from the chip.

        Args:
            problem: B problems over N spins.
            num_reads: R >= 1.
            seed: part of the request's identity, and seed of the choice of copies and of the spin
                reversal. The chip has no seed: the same seed gives the same states because they are
                recorded. None draws a seed, so that the request is new.
            initial: int8 start states (B, R, N), or with a length of 1 in place of B or R; each
                different start state of a problem takes a task of its own on the chip.

        Returns:
            States with the energies of the problem as given. `info` has the seed, "calls" (label,
            problem id, solver, graph id, scale, chain strength, parameters, timing, chain breaks,
            clipped values, and reads with a wrong energy in the answer, None where it was not
            checked), and over all calls "qpu_seconds", "calls_estimated", "energies_wrong",
            "chain_break_fraction", "clipped" and "beta_effective" (before the descent).

        Raises:
            ValueError: for num_reads < 1, start states that do not fit or that the mode does not
                take, fields that are not finite, a network that does not fit on the chip, or values
                that the chip's ranges do not allow.
            QPUBudgetError: before a call that could exceed the budget.
            ConnectionError: without a D-Wave account, or where the connection stays broken for nine
                minutes.
            OSError: where the folder cannot be written.
            RuntimeError: where D-Wave refuses a problem, does not solve it though it is sent four
                times, or gives a malformed answer to it three times; that one is fetched again by
                the next call.
        """
        tasks, num_reads, seed = self._tasks(problem, num_reads, seed, initial)
        record = self._opened_record()
        with record.request_lock:
            self._session.answer(record, problem, tasks, seed)

        return states_of(
            problem, num_reads, seed, tasks, record.index, descend=self._settings.descend
        )

    def shim(
        self, problem: IsingProblem, *, num_calls: int = 8, num_reads: int = 1000, seed: int = 0
    ) -> Doubles:
        """Returns flux biases that balance the chains of a network, from calls that are paid for.

        Without fields and couplings each chain should be up as often as down; what a chip adds to a
        chain is measured and cancelled. The calls are recorded, count against the budget, and are
        not made again for the same arguments. They anneal forward, or fast in mode "fast", and cost
        as much as `estimate` says for num_images=num_calls, epochs=1, references=0 and, on n copies
        of the network, num_states=n * num_reads.

        Args:
            problem: problems of the network, whose shape and couplings (not fields) matter: they
                set the strength of the chains.
            num_calls: calls, of all copies at a time, at least 2.
            num_reads: reads of each call, at least 2. The magnetisations that are left have a
                standard deviation of about 1.3 / sqrt(num_calls num_reads).
            seed: part of the requests' identity. Fluxes drift: another seed calibrates anew.

        Returns:
            (qubits of the solver, working or not), in units of Phi_0, for the argument
            `flux_biases`; 0 for qubits without a chain.

        Raises:
            ValueError: for a number that is too small, or a solver that takes no flux biases.
            QPUBudgetError, ConnectionError, OSError: like `sample`.
            RuntimeError: like `sample`, and where another chip gives the answers.
        """
        from isingprop.qpu.calls.flux_shim import flux_shim

        check_problem(problem)
        num_calls = whole_number("num_calls", num_calls, least=2)
        num_reads = whole_number("num_reads", num_reads, least=2)
        seed, record = seed_number(seed), self._opened_record()
        with record.request_lock:
            return flux_shim(
                self._session,
                record,
                problem,
                self._settings,
                num_calls=num_calls,
                num_reads=num_reads,
                seed=seed,
            )

    def close(self) -> None:
        """Closes the folder and the connection, whose threads end; the next call opens both again.

        Calls that are under way are waited for.
        """
        if self._opened is not None:
            self._opened.release(self)
            self._opened = None
        self._session.close()

    def _opened_record(self) -> Record:
        """Returns the record, opened again where its folder was replaced or the process forked."""
        if self._opened is None or not self._opened.is_there():
            self._opened = Record.of(self.record, self.settings(), self)
        return self._opened
