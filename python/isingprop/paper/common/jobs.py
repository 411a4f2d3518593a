"""Runs independent jobs and keeps their results on disk, so that none is computed twice."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import cache
from pathlib import Path

import isingprop
from isingprop import __version__, kernels
from isingprop.data.load import ImageSet
from isingprop.paper.common.dask_cluster import Cluster
from isingprop.paper.common.workers import Arrays as Arrays
from isingprop.paper.common.workers import Job as Job
from isingprop.paper.common.workers import Processes
from isingprop.util.checked_files import load_tensors, save_tensors
from isingprop.util.checks import whole_number
from isingprop.util.files import make_folder
from isingprop.util.progress import Progress


class Runner:
    """Runs jobs, each in one thread of a worker process, and keeps their results.

    If a worker or this process dies, only the jobs in progress are lost, and they run again. The
    file of a result is named by the SHA-256 of the job's class and fields, the images, and the
    version and the code of isingprop.

    Args:
        folder: folder of the results; created if it does not exist.
        workers: number of local processes, at least 1; ignored if there is a scheduler.
        scheduler: address of the scheduler of a Dask cluster, such as tcp://localhost:8786.
        num_jobs: number of jobs of all calls of `run` together, for the progress on stderr.

    Raises:
        ConnectionError: if no scheduler answers within 10 s, or has no worker after 10 s more.
        ImportError: if dask.distributed is not installed.
        RuntimeError: if a worker of the cluster lacks isingprop or has another version, which may
            give other bits.
    """

    def __init__(
        self, folder: Path, *, workers: int, scheduler: str | None = None, num_jobs: int = 0
    ) -> None:
        """Checks the arguments and connects to the scheduler if there is one."""
        self._folder = folder
        num_workers = whole_number("workers", workers, least=1)
        self._workers = Processes(num_workers) if scheduler is None else Cluster(scheduler)
        self._progress = Progress(num_jobs, unit="jobs")
        self._num_jobs, self._num_done = num_jobs, 0

    def __enter__(self) -> Runner:
        """Returns the runner itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the local processes or the connection to the cluster."""
        self._progress.close()
        self._workers.close()

    def run(self, jobs: Sequence[Job], images: ImageSet, description: str) -> list[Arrays]:
        """Returns the results in the order of the jobs; equal jobs run once.

        Args:
            jobs: the jobs, which start in this order.
            images: the images that all of them work on.
            description: the text beside the progress bar.

        Raises:
            RuntimeError: if workers died three times in a row without finishing a job in between.
            ConnectionError: if the connection to the scheduler is lost.
            Exception: any exception of a job, with a note that names the job; the other jobs are
                abandoned.
        """
        self._progress.describe(description)
        make_folder(self._folder)

        # Equal jobs share a name, and so a file.
        checksum = _checksum(images)
        texts = [_configuration(job, checksum) for job in jobs]
        names = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        configurations = dict(zip(names, texts, strict=True))
        counts = Counter(names)

        stored = {name: self._load(name, text) for name, text in configurations.items()}
        results = {name: arrays for name, arrays in stored.items() if arrays is not None}
        self._count(sum(counts[name] for name in results), description)

        missing = {name: job for name, job in zip(names, jobs, strict=True) if name not in results}
        with closing(self._workers.results(missing, images)) as finished:
            for name, arrays in finished:
                results[name] = self._save(name, configurations[name], arrays)
                self._count(counts[name], description)

        return [results[name] for name in names]

    def _count(self, number: int, description: str) -> None:
        """Counts jobs that are done, and shows it."""
        self._num_done += number
        self._progress.advance(number)
        self._progress.line(f"{description}: {self._num_done}/{self._num_jobs} jobs")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name[:32]}.safetensors"

    def _save(self, name: str, configuration: str, arrays: Arrays) -> Arrays:
        """Writes a result and reads it back, so that new and stored results are alike."""
        save_tensors(self._path(name), "job", arrays, {"job": configuration})
        return load_tensors(self._path(name), "job", ())[0]

    def _load(self, name: str, configuration: str) -> Arrays | None:
        """Returns the stored result; None if there is none, or if its file is damaged."""
        try:
            arrays, metadata = load_tensors(self._path(name), "job", ())
        except (OSError, ValueError):
            return None
        return arrays if metadata.get("job") == configuration else None


def _checksum(images: ImageSet) -> str:
    """Returns the SHA-256 of the images and labels."""
    total = hashlib.sha256(str(images.num_classes).encode())
    for array in (images.train_images, images.train_labels, images.test_images, images.test_labels):
        total.update(str(array.shape).encode())
        total.update(array.data)
    return total.hexdigest()


@cache
def _code() -> str:
    """Returns the SHA-256 of all source files and the compiled core of the package.

    The version alone is not enough: a working copy may give other results under the same version.
    """
    total = hashlib.sha256()
    for path in (*sorted(Path(isingprop.__file__).parent.rglob("*.py")), kernels.LIBRARY):
        total.update(path.read_bytes())
    return total.hexdigest()


def _configuration(job: Job, checksum: str) -> str:
    """Returns everything that determines a result, as JSON."""
    name = f"{type(job).__module__}.{type(job).__qualname__}"

    content = {
        "class": name,
        "job": asdict(job),
        "images": checksum,
        "version": __version__,
        "code": _code(),
    }
    return json.dumps(content, sort_keys=True)
