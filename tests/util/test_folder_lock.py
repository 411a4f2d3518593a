"""One process at a time writes into a folder: who is refused, and when a lock ends."""

import contextlib
import errno
import fcntl
import multiprocessing
import os
import signal
import socket
import subprocess

import pytest

from helpers.processes import started
from helpers.tolerances import PROCESS_SECONDS
from isingprop.util.folder_lock import FolderLock

# Holds a folder, with a child that was forked or started while it did and lives on.
HOLDER = """
import os, subprocess, sys, time
from pathlib import Path
from isingprop.util.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
if sys.argv[2] == "fork":
    child = os.fork()
    if child == 0:
        time.sleep(60)
else:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                             stdout=subprocess.DEVNULL, close_fds=False).pid
print(child, flush=True)
time.sleep(60)
"""


def refusal(folder, holder):
    return f"{folder} must be written by one process at a time, got {holder} at work"


def assert_refused(folder, holder):
    with pytest.raises(BlockingIOError) as caught:
        FolderLock(folder)
    assert str(caught.value) == refusal(folder, holder)


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path):
    first = FolderLock(tmp_path)
    assert first.holds()
    assert_refused(tmp_path, f"process {os.getpid()} on {socket.gethostname()}")
    assert first.holds(), "the refused one has not unlocked it"
    first.release()
    assert not first.holds()
    first.release()  # twice does no harm
    assert FolderLock(tmp_path).holds()


def test_a_lock_that_nobody_refers_to_ends(tmp_path):
    FolderLock(tmp_path)
    assert FolderLock(tmp_path).holds()


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"1", b"one host\n", b"1 two words\n", b"\0" * 999]
)
def test_the_file_may_say_anything(tmp_path, text):
    lock = FolderLock(tmp_path)
    (tmp_path / "lock").write_bytes(text)
    assert_refused(tmp_path, "another")
    assert lock.holds()


@pytest.mark.slow
@pytest.mark.parametrize("child", ["fork", "exec"])
def test_a_killed_process_holds_nothing_although_its_child_lives_on(tmp_path, child):
    with started("-c", HOLDER, str(tmp_path), child, stdout=subprocess.PIPE) as holder:
        orphan = int(holder.stdout.readline())
        try:
            assert_refused(tmp_path, f"process {holder.pid} on {socket.gethostname()}")
            holder.kill()
            holder.wait(PROCESS_SECONDS)
            assert FolderLock(tmp_path).holds()
        finally:
            os.kill(orphan, signal.SIGKILL)  # fails if it has ended


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_does_not_hold_the_lock_and_its_end_unlocks_nothing(tmp_path):
    lock = FolderLock(tmp_path)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=lambda: there.send(lock.holds()), daemon=True)
    child.start()
    assert here.poll(PROCESS_SECONDS)
    assert here.recv() is False
    child.join()
    assert lock.holds()
    assert_refused(tmp_path, f"process {os.getpid()} on {socket.gethostname()}")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_locks_a_line_says_so_and_work_goes_on(tmp_path, monkeypatch, capsys, number):
    def no_locks(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert FolderLock(tmp_path).holds()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"isingprop: {tmp_path} is not locked, as its file system has no locks ")
    assert os.strerror(number) in line


def test_errors_name_the_file(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="missing/lock"):
        FolderLock(tmp_path / "missing")

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OSError, match=f"{tmp_path}/lock"):
        FolderLock(tmp_path)


def test_a_full_disk_does_not_keep_a_folder_from_being_locked(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", fail)
        lock = FolderLock(tmp_path)
    assert lock.holds()
    assert_refused(tmp_path, "another")


RACER = """
import sys
from pathlib import Path
from isingprop.util.folder_lock import FolderLock
print("ready", flush=True)
sys.stdin.readline()
try:
    lock = FolderLock(Path(sys.argv[1]))
    print("held", flush=True)
except BlockingIOError as error:
    print(error, flush=True)
sys.stdin.readline()
"""


@pytest.mark.slow
def test_many_processes_at_once_and_one_gets_it(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with contextlib.ExitStack() as stack:
        runs = [stack.enter_context(started("-c", RACER, str(tmp_path), **pipes)) for _ in range(6)]
        assert [run.stdout.readline() for run in runs] == ["ready\n"] * 6
        for run in runs:
            run.stdin.write("go\n")
            run.stdin.flush()
        said = {run.pid: run.stdout.readline() for run in runs}

    [winner] = [pid for pid, line in said.items() if line == "held\n"]
    others = [line for line in said.values() if line != "held\n"]
    # One that comes before the winner has written who it is finds nobody's name.
    at_work = f"process {winner} on {socket.gethostname()}"
    refusals = {refusal(tmp_path, who) + "\n" for who in (at_work, "another")}
    assert len(others) == 5
    assert set(others) <= refusals
