"""Jobs on local processes and on a Dask cluster: what dies runs again, and what is finished does not."""

import contextlib
import importlib.metadata
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import isingprop as ip
import paper_job_kinds as kinds
from isingprop.paper.common import dask_cluster, jobs, workers
from isingprop.paper.common.jobs import Arrays, Runner
from isingprop.util.files import save_tensors
from paper_job_kinds import AlwaysDie, Count, Die, Fail, Threads, Train, Twin, small_images
from tolerances import INTERRUPT_SECONDS, PROCESS_SECONDS, same_bits


@pytest.fixture(scope="module")
def images() -> ip.ImageSet:
    return small_images()


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "log"


def ran(log: Path) -> list[int]:
    """The numbers of the jobs that started, in that order."""
    return [int(line) for line in log.read_text().split()] if log.is_file() else []


def numbers(results: list[Arrays], images: ip.ImageSet) -> list[int]:
    """The numbers of the jobs that gave these results."""
    return [int(arrays["sum"].item() - images.train_labels.sum()) for arrays in results]


@contextlib.contextmanager
def cluster(num_workers: int) -> Iterator:
    from distributed import LocalCluster

    with LocalCluster(n_workers=num_workers, threads_per_worker=1, dashboard_address=":0") as made:
        yield made


@contextlib.contextmanager
def waiting(code: str, marker: Path) -> Iterator[subprocess.Popen]:
    """A process of a group of its own that runs code, as soon as the marker is there."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: marker.exists() or process.poll() is not None)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PROCESS_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


CODE = """
import sys
from isingprop.paper.common.jobs import Runner
from paper_job_kinds import Count, small_images
from pathlib import Path
with Runner(Path({folder!r}), workers=2, scheduler={scheduler!r}) as runner:
    try:
        runner.run([Count({log!r}, k, seconds) for k, seconds in enumerate({seconds})], small_images(), "")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
"""


# Results


def test_results_come_in_the_order_of_the_jobs_and_equal_jobs_run_once(tmp_path, images, log):
    before = multiprocessing.active_children()
    with Runner(tmp_path / "results", workers=2) as runner:
        results = runner.run([Count(str(log), k, k / 20) for k in (4, 1, 3, 1, 0)], images, "")
    assert numbers(results, images) == [4, 1, 3, 1, 0]
    assert sorted(ran(log)) == [0, 1, 3, 4]
    assert multiprocessing.active_children() == before


def test_finished_jobs_do_not_run_again(tmp_path, images, log):
    with Runner(tmp_path, workers=1) as runner:
        first = runner.run([Count(str(log), k) for k in range(3)], images, "")
        again = runner.run([Count(str(log), k) for k in (2, 1)], images, "")
    with Runner(tmp_path, workers=1) as runner:
        later = runner.run([Count(str(log), k) for k in range(4)], images, "")
    assert ran(log) == [0, 1, 2, 3]
    for one, other in zip([*first, *first[:0:-1]], later[:3] + again, strict=True):
        assert list(one) == list(other)
        assert all(same_bits(one[name], other[name]) for name in one)


def changed(images: ip.ImageSet) -> list[ip.ImageSet]:
    """Each with a little difference."""
    others = [replace(images, num_classes=11)]
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        array = getattr(images, name).copy()
        array.flat[7] = 1 - min(array.flat[7], 1)
        others.append(replace(images, **{name: array}))
    return others


def test_another_field_class_or_image_is_another_job(tmp_path, images, log):
    base, others = Count(str(log), 1), changed(images)
    with Runner(tmp_path, workers=1) as runner:
        for job in (base, replace(base, number=2), replace(base, seconds=0.01), Twin(str(log), 1)):
            runner.run([job, job], images, "")
        for other in others:
            runner.run([base, base], other, "")
        runner.run([base], replace(images, name="another name"), "")
    assert len(ran(log)) == 4 + len(others)


def test_a_result_of_another_version_is_not_taken_nor_a_worker_of_another_version(
    tmp_path, images, log, monkeypatch
):
    job = Count(str(log), 1)
    with Runner(tmp_path, workers=1) as runner:
        runner.run([job], images, "")
        for module in (jobs, workers):
            monkeypatch.setattr(module, "__version__", "99.0")
        with pytest.raises(RuntimeError, match=r"^a worker must have isingprop 99\.0, .*, got \d"):
            runner.run([job], images, "")
    assert ran(log) == [1]


def test_a_damaged_or_foreign_file_is_computed_again(tmp_path, images, log):
    pair = [Count(str(log), 1), Count(str(log), 2)]
    with Runner(tmp_path, workers=1) as runner:
        runner.run(pair, images, "")
        one, two = sorted(tmp_path.glob("*.safetensors"))
        content = {one: one.read_bytes(), two: two.read_bytes()}
        for damage in (b"", content[one][:-1], content[one][:50], content[two]):
            one.write_bytes(damage)
            before = len(ran(log))
            assert numbers(runner.run(pair, images, ""), images) == [1, 2]
            assert len(ran(log)) == before + 1
            assert runner.run(pair, images, "")
            assert len(ran(log)) == before + 1
    assert len(list(tmp_path.iterdir())) == 3  # two results and the log


def test_a_job_has_one_thread(tmp_path, images, monkeypatch):
    for name in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "2")
    with Runner(tmp_path, workers=1) as runner:
        [result] = runner.run([Threads()], images, "")
    assert len(result["threads"]) >= 2  # linear algebra of NumPy at least, and OpenMP
    assert set(result["threads"]) == {1}


def test_bad_arguments_are_refused(tmp_path, assert_refused):
    assert_refused(
        lambda: Runner(tmp_path, workers=0), "ValueError: workers must be at least 1, got 0"
    )
    refusal = (
        "ValueError: scheduler must be an address such as tcp://localhost:8786, got 'nonsense'"
    )
    assert_refused(lambda: Runner(tmp_path, workers=1, scheduler="nonsense"), refusal)


class Terminal:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_the_progress_bar_counts_all_jobs_of_the_command_on_a_terminal_only(
    tmp_path, images, log, monkeypatch, capfd
):
    first, second = [Count(str(log), k) for k in (1, 2, 2)], [Count(str(log), k) for k in (3, 4)]
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        for _ in ("new", "found"):
            with Runner(tmp_path, workers=1, num_jobs=5) as runner:
                runner.run(first, images, "first")
                assert runner._bar.n == 3
        with Runner(tmp_path, workers=1, num_jobs=5) as runner:
            runner.run(first, images, "first")
            runner.run(second, images, "second")
    assert "second: 100%" in terminal.text
    assert "5/5" in terminal.text
    with Runner(tmp_path, workers=1, num_jobs=5) as runner:
        runner.run(first, images, "first")
    assert capfd.readouterr().err == ""


# Losses


def test_a_worker_that_dies_costs_only_what_was_under_way(tmp_path, images, log):
    work = [Count(str(log), k) for k in range(4)]
    work.insert(2, Die(str(log), 9, 0.1, marker=str(tmp_path / "died")))
    with Runner(tmp_path / "results", workers=1) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 9, 2, 3]
    assert ran(log) == [0, 1, 9, 9, 2, 3]


def test_with_two_workers_all_results_are_right_after_a_death(tmp_path, images, log):
    work = [Count(str(log), k, 0.1) for k in range(6)]
    work.insert(3, Die(str(log), 9, marker=str(tmp_path / "died")))
    with Runner(tmp_path / "results", workers=2) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 2, 9, 3, 4, 5]
    twice = sorted(number for number in set(ran(log)) if ran(log).count(number) > 1)
    assert 9 in twice
    assert len(ran(log)) <= 7 + 2  # the one that died and the other one under way


def test_many_deaths_are_borne_as_long_as_jobs_are_finished_between(tmp_path, images, log):
    work = [Die(str(log), k, marker=str(tmp_path / f"died-{k}")) for k in range(4)]
    with Runner(tmp_path / "results", workers=1) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 2, 3]
    assert ran(log) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_job_that_always_dies_is_named_and_the_others_are_kept(tmp_path, images, log):
    work = [Count(str(log), 1), AlwaysDie(str(log), 5), Count(str(log), 2)]
    folder = tmp_path / "results"
    with Runner(folder, workers=1) as runner:
        with pytest.raises(
            RuntimeError, match=r"died 3 times in a row .* under way: AlwaysDie\(log=.*, number=5,"
        ) as e:
            runner.run(work, images, "")
        assert "Count(" not in str(e.value)
        assert len(list(folder.iterdir())) == 1
        assert numbers(runner.run(work[::2], images, ""), images) == [1, 2]
    assert ran(log) == [1, 5, 5, 5, 2]


def test_the_error_of_a_job_names_it_and_the_others_are_given_up(tmp_path, images, log):
    work = [
        Count(str(log), 1),
        Fail(str(log), 2, 0.3),
        Count(str(log), 3, 600.0),
        Count(str(log), 4),
    ]
    folder, before = tmp_path / "results", multiprocessing.active_children()
    with Runner(folder, workers=2) as runner:
        with pytest.raises(ZeroDivisionError, match="one over nothing") as caught:
            runner.run(work, images, "")
        assert caught.value.__notes__ == [f"isingprop: raised by the job {work[1]}"]
        assert multiprocessing.active_children() == before
        assert len(list(folder.iterdir())) == 1
        assert numbers(runner.run([work[0], work[3]], images, ""), images) == [1, 4]
    assert sorted(ran(log)) == [1, 2, 3, 4]


def test_a_killed_parent_leaves_no_process_and_its_results_are_kept(tmp_path, images, log):
    seconds = [0.0, 0.0, 600.0, 600.0]
    code = CODE.format(
        folder=str(tmp_path / "results"), scheduler=None, log=str(log), seconds=seconds
    )
    with waiting(code, log) as process:
        wait_until(lambda: sorted(ran(log)) == [0, 1, 2, 3])
        process.kill()
        process.wait()
        wait_until(lambda: is_gone(process.pid))
    assert len(list((tmp_path / "results").glob("*.safetensors"))) == 2
    with Runner(tmp_path / "results", workers=1) as runner:
        again = runner.run([Count(str(log), 0), Count(str(log), 1), Count(str(log), 2)], images, "")
    assert numbers(again, images) == [0, 1, 2]
    assert sorted(ran(log)) == [0, 1, 2, 2, 3]


def check_interrupt(process: subprocess.Popen) -> None:
    """Ctrl-C in a terminal, which goes to the whole group."""
    os.killpg(process.pid, signal.SIGINT)
    sent = time.monotonic()
    process.wait(timeout=PROCESS_SECONDS)
    assert time.monotonic() - sent < INTERRUPT_SECONDS
    assert process.stderr.read() == "interrupted\n"
    assert process.returncode == 0


def test_ctrl_c_ends_all_processes_at_once_and_without_noise(tmp_path, log):
    seconds = [0.0, 600.0, 600.0, 0.0]
    code = CODE.format(
        folder=str(tmp_path / "results"), scheduler=None, log=str(log), seconds=seconds
    )
    with waiting(code, log) as process:
        wait_until(lambda: len(ran(log)) == 3)
        check_interrupt(process)
        wait_until(lambda: is_gone(process.pid))
    assert len(list((tmp_path / "results").iterdir())) == 1


def test_ctrl_c_while_the_processes_start_is_without_noise(tmp_path, log):
    folder = tmp_path / "results"
    code = CODE.format(folder=str(folder), scheduler=None, log=str(log), seconds=[600.0])
    with waiting(code, folder) as process:
        wait_until(lambda: folder.is_dir())
        time.sleep(0.1)
        check_interrupt(process)
        wait_until(lambda: is_gone(process.pid))


def test_ctrl_c_is_nothing_to_a_process_from_its_first_moment_on(tmp_path, images, log, capfd):
    """In a terminal they all get it; what they would say of it comes before or after their end, by chance."""
    with Runner(tmp_path, workers=1) as runner:
        ended = threading.Event()

        def interrupt() -> None:
            while not ended.wait(0.005):
                for pid in list(getattr(runner._workers._pool, "_processes", ())):
                    os.kill(pid, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            results = runner.run([Count(str(log), k, 0.1) for k in range(2)], images, "")
        finally:
            ended.set()
            thread.join()
    assert numbers(results, images) == [0, 1]
    assert ran(log) == [0, 1]
    assert capfd.readouterr().err == ""


# A cluster


@pytest.fixture(scope="module")
def two_workers() -> Iterator:
    with cluster(2) as made:
        yield made


def test_the_bits_do_not_depend_on_where_jobs_run(tmp_path, images, two_workers):
    work = [Train(seed) for seed in range(3)]
    results = []
    for number, address in enumerate([None, None, two_workers.scheduler_address]):
        with Runner(tmp_path / str(number), workers=1 + number % 2, scheduler=address) as runner:
            results.append(runner.run(work, images, ""))
    for here, there, cluster_result in zip(*results, strict=True):
        assert all(same_bits(here[name], there[name], cluster_result[name]) for name in here)
    files = [
        sorted((path.name, path.read_bytes()) for path in (tmp_path / name).iterdir())
        for name in "012"
    ]
    assert files[0] == files[1] == files[2]


def test_a_worker_of_a_cluster_that_dies_costs_only_what_was_under_way(
    tmp_path, images, log, two_workers
):
    work = [Count(str(log), k, 0.05) for k in range(8)]
    work.insert(3, Die(str(log), 9, 0.3, marker=str(tmp_path / "died")))
    with Runner(tmp_path / "results", workers=1, scheduler=two_workers.scheduler_address) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 2, 9, 3, 4, 5, 6, 7]
        assert numbers(runner.run(work[::-1], images, ""), images) == [7, 6, 5, 4, 3, 9, 2, 1, 0]
    assert sorted(ran(log)) == [0, 1, 2, 3, 4, 5, 6, 7, 9, 9]


@pytest.mark.parametrize("on_cluster", [False, True])
def test_what_is_finished_when_a_job_fails_is_kept(
    tmp_path, images, log, two_workers, monkeypatch, on_cluster
):
    address = two_workers.scheduler_address if on_cluster else None
    work = [Count(str(log), 1), Fail(str(log), 2, 0.3), Count(str(log), 3, 0.3)]

    def slow_save(*arguments: Any) -> None:
        """The others end while the first result is being saved."""
        save_tensors(*arguments)
        wait_until(lambda: len(ran(log)) == 6)
        time.sleep(0.5)

    with Runner(tmp_path / "results", workers=3, scheduler=address) as runner:
        runner.run(
            [Count(str(log), k, 0.3) for k in (7, 8, 9)], images, ""
        )  # all processes are there
        monkeypatch.setattr(jobs, "save_tensors", slow_save)
        with pytest.raises(ZeroDivisionError) as caught:
            runner.run(work, images, "")
        assert caught.value.__notes__ == [f"isingprop: raised by the job {work[1]}"]
        assert numbers(runner.run(work[::2], images, ""), images) == [1, 3]
    assert sorted(ran(log)) == [1, 2, 3, 7, 8, 9]


def test_a_job_on_a_cluster_has_one_thread(tmp_path, images, two_workers):
    with Runner(tmp_path, workers=1, scheduler=two_workers.scheduler_address) as runner:
        [result] = runner.run([Threads()], images, "")
    assert set(result["threads"]) == {1}


def test_a_scheduler_with_another_version_is_refused(tmp_path, two_workers, monkeypatch):
    monkeypatch.setattr(dask_cluster, "__version__", "99.0")
    with pytest.raises(RuntimeError, match=r"^the scheduler must have isingprop 99\.0, .*, got \d"):
        Runner(tmp_path, workers=1, scheduler=two_workers.scheduler_address)


@pytest.mark.parametrize("found", ["0.0.1", None])
def test_a_worker_with_another_version_or_none_is_refused(tmp_path, two_workers, found):
    from distributed import Client

    with Client(two_workers.scheduler_address, set_as_default=False) as client:
        [worker, _] = client.scheduler_info()["workers"]
        client.run(kinds.pretend_version, found, workers=[worker])
        try:
            with pytest.raises(
                RuntimeError, match=rf"^the worker {worker} must have isingprop \d.*, got "
            ):
                Runner(tmp_path, workers=1, scheduler=two_workers.scheduler_address)
        finally:
            client.run(
                kinds.pretend_version, importlib.metadata.version("isingprop"), workers=[worker]
            )


def test_images_that_die_with_their_worker_are_made_again(tmp_path, images, log):
    """The result of job 1 has half a second to leave the worker: what dies there unfetched is computed again."""
    work = [
        Count(str(log), 1),
        Die(str(log), 2, 0.5, marker=str(tmp_path / "died")),
        AlwaysDie(str(log), 3),
    ]
    with (
        cluster(1) as lone,
        Runner(tmp_path / "out", workers=1, scheduler=lone.scheduler_address) as runner,
    ):
        assert numbers(runner.run(work[:2], images, ""), images) == [1, 2]
        assert ran(log) == [1, 2, 2]
        lone.scheduler.allowed_failures = 1  # each costs the start of a worker
        with pytest.raises(
            RuntimeError, match=r"died 2 times in a row .* under way: AlwaysDie\("
        ) as caught:
            runner.run(work, images, "")
        assert "Count(" not in str(caught.value)


def test_ctrl_c_leaves_a_cluster_at_once_and_without_noise(tmp_path, log):
    with cluster(1) as lone:
        code = CODE.format(
            folder=str(tmp_path), scheduler=lone.scheduler_address, log=str(log), seconds=[600.0]
        )
        with waiting(code, log) as process:
            check_interrupt(process)


def test_a_cluster_without_workers_is_refused_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "_ANSWER_SECONDS", 1)
    with cluster(0) as empty, pytest.raises(ConnectionError) as caught:
        Runner(tmp_path, workers=1, scheduler=empty.scheduler_address)
    assert (
        str(caught.value)
        == f"scheduler must have a worker within 1 s, got none at {empty.scheduler_address}"
    )


def test_a_scheduler_that_is_lost_is_named_without_noise(tmp_path, images, log, caplog):
    with (
        cluster(1) as lone,
        Runner(tmp_path, workers=1, scheduler=lone.scheduler_address) as runner,
    ):
        loss = threading.Thread(
            target=lambda: (wait_until(lambda: len(lone.scheduler.tasks) == 2), lone.close())
        )
        loss.start()
        refusal = f"the connection to the scheduler {lone.scheduler_address} is lost"
        with pytest.raises(ConnectionError, match=refusal):
            runner.run([Count(str(log), 1)], images, "")
        loss.join()
    assert not [record for record in caplog.records if record.name == "distributed.client"]


@pytest.mark.parametrize("silent", [True, False])
def test_a_scheduler_that_does_not_answer_is_refused_in_time(tmp_path, monkeypatch, silent):
    monkeypatch.setattr(dask_cluster, "_ANSWER_SECONDS", 1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if silent:
            server.listen()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(ConnectionError) as caught:
            Runner(tmp_path, workers=1, scheduler=address)
    assert str(caught.value) == f"scheduler must answer within 1 s, got no answer from {address}"
    assert time.monotonic() - start < PROCESS_SECONDS


def test_a_cluster_without_dask_is_refused(tmp_path, monkeypatch, assert_refused):
    monkeypatch.setitem(sys.modules, "distributed", None)
    refusal = 'ImportError: a scheduler needs dask.distributed: pip install "isingprop[cluster]"'
    assert_refused(lambda: Runner(tmp_path, workers=1, scheduler="tcp://127.0.0.1:1"), refusal)
