"""A Dask cluster as the workers of a study; the scheduler replaces lost workers by itself."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from isingprop import __version__
from isingprop.data.load import ImageSet
from isingprop.paper.common.workers import (
    Arrays,
    Job,
    Results,
    check_version,
    run_job,
    too_many_losses,
)

_ANSWER_SECONDS = 10  # time within which a scheduler must answer


class Cluster:
    """Runs jobs on the workers of a Dask cluster, which replaces lost workers by itself.

    Args:
        address: address of the scheduler, such as tcp://localhost:8786.
    """

    def __init__(self, address: str) -> None:
        """Connects to the scheduler; `Runner` lists the exceptions."""
        try:
            from distributed import Client
        except ImportError:
            raise ImportError(
                'a scheduler needs dask.distributed: pip install "isingprop[cluster]"'
            ) from None

        self._address = address
        _check_scheduler(address)
        # Every failure that the client would log is raised here as an exception.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)

        self._client: Any = Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)
        try:
            self._check_versions()
            self._wait_for_a_worker()
        except BaseException:
            self.close()
            raise

    def results(self, jobs: dict[str, Job], images: ImageSet) -> Results:
        """Yields the name and the result of each job as soon as it is done."""
        import dask
        from distributed import as_completed

        if not jobs:
            return

        # The images are the result of a task: if the worker that holds them dies, the scheduler
        # runs that task again.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            data = self._client.submit(_identity, images, pure=False)

        keys = {}
        try:
            for number, (key, job) in enumerate(jobs.items()):
                name = f"isingprop-{key}"
                keys[
                    self._client.submit(run_job, job, data, __version__, key=name, priority=-number)
                ] = key
            for batch in as_completed(keys, loop=self._client.loop).batches():
                # Finished jobs come first, so a failed one does not cost their results.
                for future in sorted(batch, key=lambda future: future.status != "finished"):
                    key = keys.pop(future)
                    arrays = self._result(future, jobs[key])
                    # The scheduler computes unreleased results again when their worker dies.
                    future.release()
                    yield key, arrays
        finally:
            self._client.cancel([data, *keys])

    def close(self) -> None:
        """Closes the connection to the cluster."""
        self._client.close()

    def _check_versions(self) -> None:
        """Checks the versions of the scheduler and of all present workers.

        A worker that joins later is checked when it runs a job.
        """
        try:
            found = self._client.run_on_scheduler(version, "isingprop")
        except PackageNotFoundError as error:
            found = error
        # The scheduler unpacks the jobs that it passes on, so it needs the same version.
        check_version("the scheduler", str(found), __version__)

        for worker, found in self._client.run(version, "isingprop", on_error="return").items():
            check_version(f"the worker {worker}", str(found), __version__)

    def _wait_for_a_worker(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
        except TimeoutError:
            raise ConnectionError(
                f"scheduler must have a worker within {_ANSWER_SECONDS} s, "
                f"got none at {self._address}"
            ) from None

    def _result(self, future: Any, job: Job) -> Arrays:
        from distributed import CancelledError, KilledWorker

        try:
            arrays: Arrays = future.result()
        except KilledWorker as error:
            raise RuntimeError(too_many_losses(error.allowed_failures + 1, [job])) from None
        except CancelledError:
            raise ConnectionError(
                f"the connection to the scheduler {self._address} is lost"
            ) from None
        return arrays


def _check_scheduler(address: str) -> None:
    """Checks that a scheduler answers.

    A Client without an answer would wait for up to a minute and end with tracebacks.
    """
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


def _identity(images: ImageSet) -> ImageSet:
    """Returns its argument; as a task, it makes the images a result that workers share."""
    return images
