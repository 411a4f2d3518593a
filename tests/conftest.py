"""Fixtures that several folders share."""

import gc
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from helpers import DATA, forked_command, processes
from helpers.tolerances import SLOW_SECONDS, TEST_SECONDS
from isingprop import Annealing, IsingProblem, States, kernels

LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the slow tests, too")
    parser.addoption(
        "--rounds", type=int, help="rounds of each campaign in tests/campaigns [default: a few]"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"slow: takes more than {SLOW_SECONDS} s of CPU")
    # Where a signal is ignored, as nohup does with SIGHUP and a script's `&` with SIGINT, child
    # processes would ignore it as well and never end in tests of it. What has a handler here has
    # its default in a child, and the tests themselves go on after the terminal was closed.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(trylast=True)  # after -m and -k
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the slow tests out, unless they are asked for: by --slow, by -m, or by name."""
    named = all("::" in argument for argument in config.args)
    if config.getoption("--slow") or "slow" in config.getoption("-m") or named:
        return

    left_out = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]
    config.stash[LEFT_OUT] = len(left_out)


def pytest_collection_finish() -> None:
    """Keeps what is there for good from being searched for garbage again and again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    forked_command.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{count} slow tests were left out; run all with: pytest --slow"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Ends every test in time, whatever it waits for, but for campaigns of a given length."""

    def give_up(*_: object) -> None:
        pytest.fail(f"the test did not end within {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(0 if item.config.getoption("--rounds") else TEST_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """rounds(few): how many rounds a campaign has, `few` unless --rounds says it."""
    return lambda few: request.config.getoption("--rounds") or few


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the session's own, for its child processes, too: embeddings go there, not
    to the user's.
    """
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


@pytest.fixture(name="python")
def python_fixture() -> Callable[..., subprocess.CompletedProcess]:
    """Runs code in a fresh interpreter."""
    return processes.python
