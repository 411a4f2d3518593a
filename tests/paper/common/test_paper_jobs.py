"""Jobs on local processes: what dies runs again, and what is finished does not."""

import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest

import isingprop as ip
from helpers.paper.job_kinds import AlwaysDie, Count, Die, Fail, Threads, Twin
from helpers.paper.job_runs import CODE, check_interrupt, numbers, ran, waiting
from helpers.processes import wait_until
from helpers.tolerances import same_bits
from isingprop.paper.common import jobs, workers
from isingprop.paper.common.jobs import Runner


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_job_has_one_thread(tmp_path, images, monkeypatch):
    for name in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "2")
    with Runner(tmp_path, workers=1) as runner:
        [result] = runner.run([Threads()], images, "")
    assert len(result["threads"]) >= 2  # linear algebra of NumPy at least, and OpenMP
    assert set(result["threads"]) == {1}


@pytest.mark.slow
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


@pytest.mark.slow
def test_progress_counts_all_jobs_of_the_command_in_a_bar_or_in_lines(
    tmp_path, images, log, monkeypatch, capfd
):
    first, second = [Count(str(log), k) for k in (1, 2, 2)], [Count(str(log), k) for k in (3, 4)]
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        for _ in ("new", "found"):
            with Runner(tmp_path, workers=1, num_jobs=5) as runner:
                runner.run(first, images, "first")
                assert runner._progress._done == 3
        with Runner(tmp_path, workers=1, num_jobs=5) as runner:
            runner.run(first, images, "first")
            runner.run(second, images, "second")
    assert "second 100%" in terminal.text
    assert "5/5 jobs" in terminal.text
    with Runner(tmp_path, workers=1, num_jobs=5) as runner:
        runner.run(first, images, "first")
    assert re.fullmatch(r"first: 3/5 jobs, 00:0\d, 00:0\d left\n", capfd.readouterr().err)


# Losses


def test_a_worker_that_dies_costs_only_what_was_under_way(tmp_path, images, log):
    work = [Count(str(log), k) for k in range(4)]
    work.insert(2, Die(str(log), 9, 0.1, marker=str(tmp_path / "died")))
    with Runner(tmp_path / "results", workers=1) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 9, 2, 3]
    assert ran(log) == [0, 1, 9, 9, 2, 3]


@pytest.mark.slow
def test_with_two_workers_all_results_are_right_after_a_death(tmp_path, images, log):
    work = [Count(str(log), k, 0.1) for k in range(6)]
    work.insert(3, Die(str(log), 9, marker=str(tmp_path / "died")))
    with Runner(tmp_path / "results", workers=2) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 2, 9, 3, 4, 5]
    twice = sorted(number for number in set(ran(log)) if ran(log).count(number) > 1)
    assert 9 in twice
    assert len(ran(log)) <= 7 + 2  # the one that died and the other one under way


@pytest.mark.slow
def test_many_deaths_are_borne_as_long_as_jobs_are_finished_between(tmp_path, images, log):
    work = [Die(str(log), k, marker=str(tmp_path / f"died-{k}")) for k in range(4)]
    with Runner(tmp_path / "results", workers=1) as runner:
        assert numbers(runner.run(work, images, ""), images) == [0, 1, 2, 3]
    assert ran(log) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_ctrl_c_while_the_processes_start_is_without_noise(tmp_path, log):
    folder = tmp_path / "results"
    code = CODE.format(folder=str(folder), scheduler=None, log=str(log), seconds=[600.0])
    with waiting(code, folder) as process:
        wait_until(lambda: folder.is_dir())
        time.sleep(0.1)
        check_interrupt(process)
        wait_until(lambda: is_gone(process.pid))


@pytest.mark.slow
def test_ctrl_c_is_nothing_to_a_process_from_its_first_moment_on(tmp_path, images, log, capfd):
    """In a terminal they all get it; what they would say of it comes before or after their end, by
    chance.
    """
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
