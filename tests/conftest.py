"""Fixtures that several rooms share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from helpers import DATA
from helpers.tolerances import PROCESS_SECONDS
from isingprop import Annealing, IsingProblem, States, kernels


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the session's own, for its child processes, too: embeddings go there, not to the user's."""
    with pytest.MonkeyPatch.context() as patch:
        # Building its list of fonts anew would take matplotlib seconds.
        patch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR") or matplotlib.get_cachedir())
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(params=kernels.available_kernels())
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set of this processor in turn, in use during the test."""
    before = kernels.current_kernel()
    kernels.select_kernel(request.param)
    yield request.param
    kernels.select_kernel(before)


@pytest.fixture
def on_every_kernel() -> Iterator[Callable]:
    """Calls a function once on each instruction set and returns all the results."""
    before = kernels.current_kernel()

    def call(function: Callable) -> list:
        results = []
        for name in kernels.available_kernels():
            kernels.select_kernel(name)
            results.append(function())
        return results

    yield call
    kernels.select_kernel(before)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data that is not part of the repository: ISINGPROP_DATA, or ../shared/data."""
    if not DATA.is_dir():
        pytest.skip(f"no data folder at {DATA} (set ISINGPROP_DATA)")
    return DATA


@pytest.fixture
def assert_refused() -> Callable[[Callable, str], None]:
    """assert_refused(call, "ValueError: ..."): the kind of the error and how its message begins."""

    def check(call: Callable, refusal: str) -> None:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (compared below, kind and message)
            call()
        assert f"{caught.type.__name__}: {caught.value}"[: len(refusal)] == refusal

    return check


@pytest.fixture
def counting_sampler() -> Any:
    """A sampler that knows how often it was asked."""

    class Counting:
        calls = 0

        def sample(
            self, problem: IsingProblem, num_reads: int = 1, seed: int | None = None
        ) -> States:
            self.calls += 1
            return Annealing().sample(problem, num_reads, seed)

    return Counting()


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess]:
    """Runs code in a fresh interpreter: python(code, NAME=value, ...) with more environment variables."""

    def run(code: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=PROCESS_SECONDS,
            check=False,
        )

    return run
