"""Downloads: made once, checked, and resumed where they were cut off."""

import gzip
import hashlib
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest
import requests

from helpers.idx_files import TRAIN_IMAGES_GZ, idx, small_arrays, spoiled
from isingprop.data import download as downloads
from isingprop.data.download import FILES, download

CHUNK_BYTES = 256

WRONG_SUM = r"MD5 hash of downloaded file \(train-images-idx3-ubyte.gz\) does not match [^\n]*"


@dataclass
class Plan:
    """What the test server hands out, how it misbehaves, and what it was asked for."""

    files: dict[str, bytes]
    url: str
    ranges: bool = True
    cut_after: dict[str, int] = field(
        default_factory=dict
    )  # file: bytes of its next answer before the cut
    stall_after: dict[str, int] = field(default_factory=dict)  # the same, but silent instead of cut
    delay_s: float = 0
    served: list[tuple[str, str | None, int, int]] = field(
        default_factory=list
    )  # file, Range, status, bytes
    over: threading.Event = field(default_factory=threading.Event)

    def asked(self, file=TRAIN_IMAGES_GZ):
        return [entry[1:] for entry in self.served if entry[0] == file]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        plan, file, wanted = self.server.plan, self.path.rpartition("/")[2], self.headers["Range"]
        time.sleep(plan.delay_s)
        whole = plan.files.get(file)
        start = (
            int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and plan.ranges else 0
        )
        if whole is None:
            self.answer(file, wanted, 404, b"no such file")
        elif start >= len(whole):
            self.answer(file, wanted, 416, b"")
        else:
            self.answer(file, wanted, 206 if start else 200, whole[start:])

    def answer(self, file, wanted, status, body):
        plan = self.server.plan
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if "gzip" in self.headers["Accept-Encoding"]:
            # As some servers label .gz files, and requests would then unpack them.
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        silent = plan.stall_after.pop(file, None)
        sent = body[: plan.cut_after.pop(file, silent)]
        plan.served.append((file, wanted, status, len(sent)))
        self.wfile.write(sent)  # HTTP/1.0: the connection closes after this
        self.wfile.flush()
        if silent is not None:
            plan.over.wait(
                10
            )  # s: a client that never gives up fails its test, and does not hang it

    def log_message(self, *_):
        """Keeps stderr for pooch."""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An own cache folder, and no proxy."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    assert Path(pooch.os_cache("isingprop")) == tmp_path / "cache" / "isingprop"  # not the user's
    return tmp_path / "cache" / "isingprop" / "mnist"


@pytest.fixture
def server(cache, monkeypatch):
    """The small data set on a local server, which download() takes for MNIST's."""
    files = {
        f"{file}.gz": gzip.compress(idx(array), mtime=0) for file, array in small_arrays().items()
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        plan = running.plan = Plan(files, f"http://127.0.0.1:{running.server_port}/mnist/")
        monkeypatch.setitem(downloads.URLS, "mnist", plan.url)
        sums = tuple(hashlib.md5(content).hexdigest() for content in files.values())
        monkeypatch.setitem(downloads.MD5_SUMS, "mnist", sums)
        monkeypatch.setattr(downloads, "CHUNK_BYTES", CHUNK_BYTES)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield plan
        plan.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def whole(server):
    """The training images as they should arrive."""
    return server.files[TRAIN_IMAGES_GZ]


@pytest.fixture
def part(cache):
    """Where an unfinished download of the training images lies."""
    cache.mkdir(parents=True)
    return cache / f"{TRAIN_IMAGES_GZ}.part"


@pytest.fixture
def arrives(server, cache):
    """Downloads, and asserts that all came, nothing else is there, and in the order of FILES."""
    files = dict(server.files)

    def check():
        paths = download("mnist")
        assert paths == [cache / f"{file}.gz" for file in FILES]
        assert [path.read_bytes() for path in paths] == list(files.values())
        assert {path.name for path in cache.iterdir()} - {".lock"} == set(files)

    return check


@contextmanager
def fails(server, reason, kind=ConnectionError):
    """Expects the one line that a failed download of the training images gives."""
    start = re.escape(f"cannot download {server.url}{TRAIN_IMAGES_GZ}: ")
    advice = (
        "call again to go on, or get it by hand and name its folder with data_dir or ISINGPROP_DATA"
    )
    with pytest.raises(kind, match=f"^{start}{reason}; {advice}$") as caught:
        yield
    assert caught.type is kind


def test_a_download_is_made_once_and_then_quiet(server, arrives, caplog, capfd, monkeypatch):
    monkeypatch.setattr(
        pooch.get_logger(), "handlers", [caplog.handler]
    )  # its own writes to stderr
    arrives()
    assert len(caplog.records) == len(FILES)  # one line for each
    caplog.clear()
    arrives()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert [entry[:3] for entry in server.served] == [(f"{file}.gz", None, 200) for file in FILES]


def test_a_full_cache_needs_neither_network_nor_writing(server, arrives, cache):
    arrives()
    server.files.clear()
    (cache / ".lock").unlink()
    arrives()
    assert not (cache / ".lock").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_connection_is_resumed_where_it_stopped(server, arrives, cache, whole, times):
    step = 4 * CHUNK_BYTES
    assert times * step < len(whole)
    for lost in range(step, step * times + 1, step):
        server.cut_after[TRAIN_IMAGES_GZ] = step
        with fails(server, "[^\n]*"):
            download("mnist")
        assert (cache / f"{TRAIN_IMAGES_GZ}.part").read_bytes() == whole[:lost]
    arrives()
    resumed = [(f"bytes={step * k}-", 206, step) for k in range(1, times)]
    last = (f"bytes={step * times}-", 206, len(whole) - step * times)  # no byte came twice
    assert server.asked() == [(None, 200, step), *resumed, last]


def test_a_server_without_ranges_starts_over(server, arrives, whole):
    server.ranges = False
    server.cut_after[TRAIN_IMAGES_GZ] = 1024
    with fails(server, "[^\n]*"):
        download("mnist")
    arrives()
    assert server.asked() == [(None, 200, 1024), ("bytes=1024-", 200, len(whole))]


def test_a_part_that_only_lacks_its_name_is_taken(server, arrives, whole, part):
    part.write_bytes(whole)
    arrives()
    assert server.asked() == [(f"bytes={len(whole)}-", 416, 0)]


def test_an_empty_part_is_no_part(server, arrives, whole, part):
    part.touch()
    arrives()
    assert server.asked() == [(None, 200, len(whole))]


@pytest.mark.parametrize("status", [206, 416], ids=["corrupt", "too long"])
def test_a_bad_part_is_refused_and_the_next_call_recovers(server, arrives, whole, part, status):
    part.write_bytes(b"x" * 1000 if status == 206 else whole + b"more")
    with fails(server, WRONG_SUM, OSError):
        download("mnist")
    assert [path.name for path in part.parent.iterdir()] == [".lock"]
    arrives()
    assert [status for _, status, _ in server.asked()] == [status, 200]


def test_a_corrupt_download_is_refused_and_the_next_call_recovers(server, arrives, cache, whole):
    server.files[TRAIN_IMAGES_GZ] = spoiled(whole, 500)
    with fails(server, WRONG_SUM, OSError):
        download("mnist")
    assert [path.name for path in cache.iterdir()] == [".lock"]
    server.files[TRAIN_IMAGES_GZ] = whole
    arrives()


def test_a_spoiled_file_in_the_cache_is_downloaded_again(server, arrives, cache):
    arrives()
    (cache / TRAIN_IMAGES_GZ).write_bytes(b"spoiled")
    arrives()
    assert [status for _, status, _ in server.asked()] == [200, 200]


def test_a_missing_page_is_told_and_keeps_the_part(server, whole, part):
    del server.files[TRAIN_IMAGES_GZ]
    part.write_bytes(whole[:1000])
    with fails(server, "404 Client Error[^\n]*", OSError):
        download("mnist")
    assert part.read_bytes() == whole[:1000]


@pytest.mark.usefixtures("cache")
def test_no_server_at_all(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setitem(downloads.URLS, "fashion-mnist", f"http://127.0.0.1:{port}/")
    reason = r"^cannot download http://127[^\n]*Connection refused[^\n]*by hand"
    with pytest.raises(ConnectionError, match=reason):
        download("fashion-mnist")


def test_a_silent_server_times_out_and_is_resumed(server, arrives, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT_S", 0.2)
    server.stall_after[TRAIN_IMAGES_GZ] = 1024
    with fails(server, "[^\n]*timed out[^\n]*"):
        download("mnist")
    arrives()
    assert [wanted for wanted, *_ in server.asked()] == [None, "bytes=1024-"]


def test_a_short_answer_that_requests_does_not_notice(server, arrives, whole, monkeypatch):
    """urllib3 1 ends such an answer as if it were whole; here the answer is cut below requests'
    eyes.
    """
    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", lambda *_: iter([whole[:700]]))
        with fails(server, f"lost the connection after 700 of {len(whole)} bytes"):
            download("mnist")
    arrives()
    assert server.asked()[1] == ("bytes=700-", 206, len(whole) - 700)


def test_a_cache_that_cannot_be_made(server, tmp_path):
    (tmp_path / "cache").write_text("a file where the cache folder should be")
    with fails(server, "[^\n]*Not a directory[^\n]*", OSError):
        download("mnist")


def test_two_at_a_time_download_once(server, arrives):
    server.delay_s = 0.05  # long enough for the second to find the first at work
    done = []
    threads = [threading.Thread(target=lambda: done.append(download("mnist"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2
    assert sorted(file for file, *_ in server.served) == sorted(server.files)
    arrives()


@pytest.mark.usefixtures("server")
def test_file_systems_without_locks_still_download(arrives, monkeypatch):
    def no_locks(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(downloads.fcntl, "flock", no_locks)
    arrives()


def test_the_published_sums_and_addresses():
    """Against the wrong column or a lost digit: every sum differs, and every file has one."""
    sums = [md5 for name in downloads.MD5_SUMS for md5 in downloads.MD5_SUMS[name]]
    assert len(set(sums)) == 2 * len(FILES)
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in sums)
    assert list(downloads.URLS) == list(downloads.MD5_SUMS) == ["mnist", "fashion-mnist"]
