"""What runs jobs: processes on this machine, or a Dask cluster. A worker that dies costs only what was under way."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any, ClassVar, Protocol, TypeAlias

from numpy.typing import NDArray

from isingprop import __version__
from isingprop.data.load import ImageSet

Arrays: TypeAlias = dict[str, NDArray[Any]]
Results: TypeAlias = Generator[tuple[str, Arrays], None, None]  # each as soon as its job is done

_MOST_LOSSES = 3  # of a worker, in a row
_ANSWER_SECONDS = 10  # within which a scheduler must answer
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


class Job(Protocol):
    """A frozen dataclass of plain fields, which say all that decides the result beside the images."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def run(self, images: ImageSet) -> Arrays:
        """The result; arrays of numbers or bools."""


class Processes:
    """Local processes."""

    def __init__(self, num_workers: int) -> None:
        """They start with the first job."""
        self._num_workers = num_workers
        self._pool: ProcessPoolExecutor | None = None

    def results(self, jobs: dict[str, Job], images: ImageSet) -> Results:
        """The result of each job."""
        left, losses = dict(jobs), 0
        try:
            while left:
                try:
                    for key, arrays in self._until_loss(left, images):
                        yield key, arrays
                        del left[key]
                        losses = 0
                except BrokenProcessPool as error:
                    losses += 1
                    # Jobs start in order, so those that were under way are the first that are left.
                    lost = list(islice(left.values(), self._num_workers))
                    if losses == _MOST_LOSSES:
                        raise RuntimeError(_too_many_losses(losses, lost)) from error
                    self._kill()
        except BaseException:
            self._kill()
            raise

    def close(self) -> None:
        """Ends the processes, which must be idle."""
        if self._pool is not None:
            self._pool.shutdown()

    def _until_loss(self, jobs: dict[str, Job], images: ImageSet) -> Results:
        """As `results`, until a process dies."""
        queue = iter(list(jobs.items()))
        running = {self._submit(job, images): key for key, job in islice(queue, self._num_workers)}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(
                done, key=lambda future: future.exception() is not None
            ):  # keeps all results
                key = running.pop(future)
                yield key, future.result()
                for next_key, job in islice(queue, 1):
                    running[self._submit(job, images)] = next_key

    def _submit(self, job: Job, images: ImageSet) -> Future[Arrays]:
        """Starts a job, in a new process where there are not yet enough."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._num_workers, context, _start_process)
        # A new process inherits the mask, so Ctrl-C is this process's alone; here it only comes a little later.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            return self._pool.submit(_perform, job, images, __version__)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _kill(self) -> None:
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class Cluster:
    """A Dask cluster, which sees to lost workers by itself."""

    def __init__(self, address: str) -> None:
        """Connects to the scheduler; see Runner for what is refused."""
        try:
            from distributed import Client
        except ImportError:
            raise ImportError(
                'a scheduler needs dask.distributed: pip install "isingprop[cluster]"'
            ) from None
        self._address = address
        _check_scheduler(address)
        logging.getLogger("distributed.client").setLevel(
            logging.CRITICAL
        )  # what it has to say is said by our errors
        self._client: Any = Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)
        try:
            self._check_versions()
            self._wait_for_a_worker()
        except BaseException:
            self.close()
            raise

    def results(self, jobs: dict[str, Job], images: ImageSet) -> Results:
        """The result of each job."""
        import dask
        from distributed import as_completed

        if not jobs:
            return
        # The images are a task's result: where the worker that holds them dies, the scheduler makes them again.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            data = self._client.submit(_same, images, pure=False)
        keys = {}
        try:
            for number, (key, job) in enumerate(jobs.items()):
                name = f"isingprop-{key}"
                keys[
                    self._client.submit(
                        _perform, job, data, __version__, key=name, priority=-number
                    )
                ] = key
            for batch in as_completed(keys, loop=self._client.loop).batches():
                for future in sorted(
                    batch, key=lambda future: future.status != "finished"
                ):  # keeps all results
                    key = keys.pop(future)
                    arrays = self._result(future, jobs[key])
                    future.release()  # else the scheduler computes it again when its worker dies
                    yield key, arrays
        finally:
            self._client.cancel([data, *keys])

    def close(self) -> None:
        """Leaves the cluster."""
        self._client.close()

    def _check_versions(self) -> None:
        """Of those that are here; a worker that joins later is asked with each job."""
        try:
            found = self._client.run_on_scheduler(version, "isingprop")
        except PackageNotFoundError as error:
            found = error
        _check_version("the scheduler", str(found), __version__)  # which unpacks what it hands on
        for worker, found in self._client.run(version, "isingprop", on_error="return").items():
            _check_version(f"the worker {worker}", str(found), __version__)

    def _wait_for_a_worker(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
        except TimeoutError:
            raise ConnectionError(
                f"scheduler must have a worker within {_ANSWER_SECONDS} s, got none at {self._address}"
            ) from None

    def _result(self, future: Any, job: Job) -> Arrays:
        from distributed import CancelledError, KilledWorker

        try:
            arrays: Arrays = future.result()
        except KilledWorker as error:
            raise RuntimeError(_too_many_losses(error.allowed_failures + 1, [job])) from None
        except CancelledError:
            raise ConnectionError(
                f"the connection to the scheduler {self._address} is lost"
            ) from None
        return arrays


def _check_scheduler(address: str) -> None:
    """Asks for an answer, because a Client that gets none waits up to a minute and ends with tracebacks."""
    from distributed import Security
    from distributed.core import rpc

    async def ask() -> None:
        async with rpc(
            address, connection_args=Security().get_connection_args("client")
        ) as scheduler:
            await scheduler.identity(n_workers=0)

    try:
        asyncio.run(asyncio.wait_for(ask(), _ANSWER_SECONDS))
    except ValueError:
        raise ValueError(
            f"scheduler must be an address such as tcp://localhost:8786, got {address!r}"
        ) from None
    except OSError:
        raise ConnectionError(
            f"scheduler must answer within {_ANSWER_SECONDS} s, got no answer from {address}"
        ) from None


def _perform(job: Job, images: ImageSet, wanted: str) -> Arrays:
    """Runs a job, in a worker."""
    from threadpoolctl import threadpool_limits

    _check_version("a worker", __version__, wanted)
    os.environ.update(_ONE_THREAD)  # for libraries that the job will load
    threadpool_limits(1)  # for those that are here; for good, since a worker may have several jobs
    try:
        return job.run(images)
    except Exception as error:
        error.add_note(f"isingprop: raised by the job {job}")
        raise


def _same(images: ImageSet) -> ImageSet:
    return images


def _start_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent tells nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _check_version(whose: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise RuntimeError(
            f"{whose} must have isingprop {wanted}, which gives the same bits, got {found}"
        )


def _too_many_losses(losses: int, jobs: list[Job]) -> str:
    under_way = ", ".join(str(job) for job in jobs)
    return f"a worker died {losses} times in a row (killed, or out of memory) with this under way: {under_way}"
