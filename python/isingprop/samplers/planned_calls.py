"""What the calls of a D-Wave sampler will be and cost: nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isingprop.problem import IsingProblem
from isingprop.qpu.calls.call_data import PreparedCall
from isingprop.qpu.calls.device_session import DeviceSession
from isingprop.qpu.calls.tasks import Task, missing_reads, tasks_of
from isingprop.qpu.settings import Settings
from isingprop.samplers.arguments import check_problem, read_number, start_states
from isingprop.samplers.protocol import BaseSampler
from isingprop.util.checks import Spins, seed_number, whole_number

if TYPE_CHECKING:
    from isingprop.qpu.embed.embedding import Embedding
    from isingprop.qpu.estimate import Estimate

_WRONG_CLASSES = 9  # of the ten classes of the data sets


class PlannedCalls(BaseSampler):
    """The part of `DWave` that plans calls: embeddings, requests and prices."""

    _settings: Settings
    _session: DeviceSession

    @property
    def takes_initial(self) -> bool:
        """Whether sample() takes start states."""
        return self._settings.takes_starts

    def settings(self) -> dict[str, Any]:
        """Returns the settings as records and checkpoints compare them.

        All chips of D-Wave are one device, "qpu", since one may replace another; each stand-in is a
        device of its own.
        """
        return {**self._settings.as_json(), "device": self._session.kind}

    def copies(self, num_hidden: int, num_output: int) -> list[Embedding]:
        """Returns the embeddings of a network that calls use; nothing is sent.

        They are embeddings of K_{H,O}, or of K_{H+1,O+1} in modes "cyclic" and "fast".

        Raises:
            ConnectionError: without a D-Wave account.
            ValueError: for a network that does not fit on the chip.
        """
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        num_output = whole_number("num_output", num_output, least=1)
        return self._session.chip(num_hidden, num_output, from_starts=False).copies

    def first_request(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> PreparedCall:
        """Returns the first call of sample() with an empty folder; nothing is sent or written."""
        tasks, _, seed = self._tasks(problem, num_reads, seed, initial)
        from_starts = initial is not None
        chip = self._session.chip(problem.num_hidden, problem.num_output, from_starts=from_starts)
        return next(chip.calls(problem, missing_reads(tasks), seed))

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
        """Returns the calls and the QPU access time of a training run; nothing is sent.

        The access time follows from the solver's own timing data.

        Args:
            num_images: number of training images.
            epochs: number of passes over them.
            num_states: m, as in Trainer.
            batch_size: images per update, as in Trainer; the images of one update share calls.
            num_test: number of images of the test after each epoch.
            num_test_reads: reads of each test image, as in Trainer.
            num_hidden: H.
            num_output: O.
            references: number of different reference states of each image, over which its reads are
                shared out; None: 9, one for each wrong class of ten, but 0 in modes "forward" and
                "fast".

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
        if references is None:
            references = _WRONG_CLASSES if self.takes_initial else 0
        most = None if self.takes_initial else 0
        references = whole_number("references", references, least=0, most=most)
        num_hidden = whole_number("num_hidden", num_hidden, least=1)
        num_output = whole_number("num_output", num_output, least=1)

        chip = self._session.chip(num_hidden, num_output, from_starts=references > 0)
        return chip.estimate(
            num_images=num_images,
            epochs=epochs,
            num_states=num_states,
            batch_size=batch_size,
            num_test=num_test,
            num_test_reads=num_test_reads,
            references=references,
        )

    def _tasks(
        self, problem: IsingProblem, num_reads: int, seed: int | None, initial: Spins | None
    ) -> tuple[list[Task], int, int]:
        """Returns the tasks of checked arguments, the number of reads and the seed."""
        check_problem(problem)
        num_reads, seed, initial = read_number(num_reads), seed_number(seed), start_states(initial)
        if initial is not None and not self.takes_initial:
            raise ValueError(
                f"initial must be None for DWave(mode={self._settings.mode!r}), "
                "which takes no start states"
            )
        return tasks_of(problem, num_reads, seed, initial, self.settings()), num_reads, seed
