"""Independent jobs: a result that is on disk is not computed again."""

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
from isingprop.paper.common.workers import Arrays as Arrays
from isingprop.paper.common.workers import Cluster, Processes
from isingprop.paper.common.workers import Job as Job
from isingprop.util.checks import whole_number
from isingprop.util.files import load_tensors, save_tensors


class Runner:
    """Runs jobs, each in one thread of a process of its own, and keeps their results.

    A worker that dies costs what was under way, which runs again; so does the death of this process. The file of a
    result is named by the SHA-256 of the job's class and fields, the images, and the version and the code of isingprop.

    Args:
        folder: of the results; made where there is none.
        workers: local processes, at least 1; a cluster has its own.
        scheduler: address of a Dask cluster's, such as tcp://localhost:8786.
        num_jobs: of all calls of `run` together, for the progress bar on a terminal.

    Raises:
        ConnectionError: where no scheduler answers within 10 s, or it has no worker within 10 s more.
        ImportError: where dask.distributed is not installed.
        RuntimeError: where a worker of the cluster lacks isingprop or has another version, which may give other bits.
    """

    def __init__(
        self, folder: Path, *, workers: int, scheduler: str | None = None, num_jobs: int = 0
    ) -> None:
        """See the class."""
        from tqdm import tqdm

        self._folder = folder
        num_workers = whole_number("workers", workers, least=1)
        self._workers = Processes(num_workers) if scheduler is None else Cluster(scheduler)
        self._bar = tqdm(total=num_jobs or None, unit=" jobs", disable=None)

    def __enter__(self) -> Runner:
        """The runner."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the processes, or the connection to the cluster."""
        self._bar.close()
        self._workers.close()

    def run(self, jobs: Sequence[Job], images: ImageSet, description: str) -> list[Arrays]:
        """The results, in the order of the jobs; equal jobs run once.

        Args:
            jobs: started in this order.
            images: what they all work on.
            description: of these jobs, for the progress bar.

        Raises:
            RuntimeError: where workers died three times in a row and no job was finished between.
            ConnectionError: where the connection to the scheduler is lost.
            Exception: whatever a job raises, with a note of which; the others are given up.
        """
        self._bar.set_description(description)
        self._folder.mkdir(parents=True, exist_ok=True)
        checksum = _checksum(images)
        texts = [_configuration(job, checksum) for job in jobs]
        names = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        configurations = dict(zip(names, texts, strict=True))
        counts = Counter(names)
        stored = {name: self._load(name, text) for name, text in configurations.items()}
        results = {name: arrays for name, arrays in stored.items() if arrays is not None}
        self._bar.update(sum(counts[name] for name in results))
        missing = {name: job for name, job in zip(names, jobs, strict=True) if name not in results}
        with closing(self._workers.results(missing, images)) as finished:
            for name, arrays in finished:
                results[name] = self._save(name, configurations[name], arrays)
                self._bar.update(counts[name])
        return [results[name] for name in names]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name[:32]}.safetensors"

    def _save(self, name: str, configuration: str, arrays: Arrays) -> Arrays:
        """As the file has it, so that a result is the same whether it is new or not."""
        save_tensors(self._path(name), "job", arrays, {"job": configuration})
        return load_tensors(self._path(name), "job", ())[0]

    def _load(self, name: str, configuration: str) -> Arrays | None:
        try:
            arrays, metadata = load_tensors(self._path(name), "job", ())
        except (OSError, ValueError):  # none, or a damaged one
            return None
        return arrays if metadata.get("job") == configuration else None


def _checksum(images: ImageSet) -> str:
    total = hashlib.sha256(str(images.num_classes).encode())
    for array in (images.train_images, images.train_labels, images.test_images, images.test_labels):
        total.update(str(array.shape).encode())
        total.update(array.data)
    return total.hexdigest()


@cache
def _code() -> str:
    """Of all files of the package: other code may give other results under the same version."""
    total = hashlib.sha256()
    for path in (*sorted(Path(isingprop.__file__).parent.rglob("*.py")), kernels.LIBRARY):
        total.update(path.read_bytes())
    return total.hexdigest()


def _configuration(job: Job, checksum: str) -> str:
    """All that decides a result, as JSON."""
    name = f"{type(job).__module__}.{type(job).__qualname__}"
    content = {
        "class": name,
        "job": asdict(job),
        "images": checksum,
        "version": __version__,
        "code": _code(),
    }
    return json.dumps(content, sort_keys=True)
