"""Jobs on a Dask cluster."""

import contextlib
import importlib.metadata
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.paper import job_kinds as kinds
from helpers.paper.job_kinds import AlwaysDie, Count, Die, Fail, Threads, Train
from helpers.paper.job_runs import CODE, check_interrupt, numbers, ran, waiting
from helpers.processes import wait_until
from helpers.tolerances import PROCESS_SECONDS, same_bits
from isingprop.paper.common import dask_cluster, jobs
from isingprop.paper.common.jobs import Runner
from isingprop.util.checked_files import save_tensors

pytestmark = pytest.mark.slow  # the start of a cluster takes three seconds of CPU


@contextlib.contextmanager
def cluster(num_workers: int) -> Iterator:
    from distributed import LocalCluster

    with LocalCluster(n_workers=num_workers, threads_per_worker=1, dashboard_address=":0") as made:
        yield made


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
    """The result of job 1 has half a second to leave the worker: what dies there unfetched is
    computed again.
    """
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
