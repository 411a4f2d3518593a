"""Jobs, and the local processes that run them.

If a process dies, only the jobs in progress are lost, and they run again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, ClassVar, Protocol, TypeAlias

from numpy.typing import NDArray

from isingprop import __version__
from isingprop.data.load import ImageSet

Arrays: TypeAlias = dict[str, NDArray[Any]]
# Yields the name and the result of each job as soon as it is done.
Results: TypeAlias = Generator[tuple[str, Arrays], None, None]

_MAX_LOSSES = 3  # deaths of workers in a row before a study is given up
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


class Job(Protocol):
    """A unit of work whose result depends only on its fields and the images.

    Implementations are frozen dataclasses of plain fields.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def run(self, images: ImageSet) -> Arrays:
        """Returns the result: named arrays of numbers or bools."""


class Processes:
    """Runs jobs in local processes, one job at a time in each."""

    def __init__(self, num_workers: int) -> None:
        """Takes the number of processes, which start with the first job."""
        self._num_workers = num_workers
        self._pool: ProcessPoolExecutor | None = None

    def results(self, jobs: dict[str, Job], images: ImageSet) -> Results:
        """Yields the name and the result of each job as soon as it is done."""
        remaining, losses = dict(jobs), 0
        try:
            while remaining:
                try:
                    for key, arrays in self._until_loss(remaining, images):
                        yield key, arrays
                        del remaining[key]
                        losses = 0
                except BrokenProcessPool as error:
                    losses += 1
                    # Jobs start in order, so the first remaining ones were in progress.
                    lost = list(islice(remaining.values(), self._num_workers))
                    if losses == _MAX_LOSSES:
                        raise RuntimeError(too_many_losses(losses, lost)) from error
                    self._kill()

        # The caller may also abandon this generator, which raises GeneratorExit here.
        except BaseException:
            self._kill()
            raise

    def close(self) -> None:
        """Ends the processes, which must be idle."""
        if self._pool is not None:
            self._pool.shutdown()

    def _until_loss(self, jobs: dict[str, Job], images: ImageSet) -> Results:
        """Works like `results`, but raises BrokenProcessPool when a process dies."""
        queue = iter(list(jobs.items()))
        running = {self._submit(job, images): key for key, job in islice(queue, self._num_workers)}

        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            # Finished jobs come first, so a failed one does not cost their results.
            for future in sorted(done, key=lambda future: future.exception() is not None):
                key = running.pop(future)
                yield key, future.result()
                for next_key, job in islice(queue, 1):
                    running[self._submit(job, images)] = next_key

    def _submit(self, job: Job, images: ImageSet) -> Future[Arrays]:
        """Starts a job, in a new process if fewer than num_workers run."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            with _signals_blocked():  # for multiprocessing's own process, which tracks semaphores
                self._pool = ProcessPoolExecutor(self._num_workers, context, _start_process)

        with _signals_blocked():  # anew: the start of that process has let Ctrl-C through again
            return self._pool.submit(run_job, job, images, __version__)

    def _kill(self) -> None:
        """Ends the processes at once and abandons their jobs."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Keeps Ctrl-C and the end of a terminal from processes that start in the context.

    They inherit the mask of blocked signals, and only this process ends all. A signal that arrives
    in between is delivered when the mask is restored.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_job(job: Job, images: ImageSet, wanted: str) -> Arrays:
    """Runs a job in a worker, in one thread; checks first that isingprop's version is `wanted`."""
    from threadpoolctl import threadpool_limits

    check_version("a worker", __version__, wanted)

    # The environment limits libraries that the job will load; threadpool_limits those already
    # loaded. The limit stays, because other jobs may still run in this worker.
    os.environ.update(_ONE_THREAD)
    threadpool_limits(1)

    try:
        return job.run(images)
    except Exception as error:
        error.add_note(f"isingprop: raised by the job {job}")
        raise


def _start_process() -> None:
    """Prepares a new process: it ignores Ctrl-C, and ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Waits for the parent and then ends this process; a killed parent cannot end its children."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def check_version(whose: str, found: str, wanted: str) -> None:
    """Checks that a version of isingprop is the wanted one, which gives the same bits."""
    if found != wanted:
        raise RuntimeError(
            f"{whose} must have isingprop {wanted}, which gives the same bits, got {found}"
        )


def too_many_losses(losses: int, jobs: list[Job]) -> str:
    """Returns the error message for workers that died while they ran these jobs."""
    names = ", ".join(str(job) for job in jobs)
    return (
        f"a worker died {losses} times in a row (killed, or out of memory) with this under way: "
        f"{names}"
    )
