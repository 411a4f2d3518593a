"""Without a network: one short line that says what was tried and what to do."""

import errno
import os
import socket
import urllib.error

import pooch
import pytest
import requests
from sklearn.datasets import _openml
from urllib3.exceptions import MaxRetryError, NameResolutionError

from isingprop.data import download as downloads
from isingprop.util.messages import reason_of

REFUSED = os.strerror(errno.ECONNREFUSED)


@pytest.fixture
def nobody(monkeypatch, tmp_path_factory):
    """The address of a port that nobody listens at; caches are empty, and pooch says nothing."""
    monkeypatch.setattr(pooch.get_logger(), "handlers", [])  # one has the stderr of its first use
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("empty")))
    monkeypatch.setenv("ISINGPROP_DATA", "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return f"http://127.0.0.1:{port}/"


def assert_one_line(done, line, folder):
    assert (done.code, done.out, done.err) == (1, "", f"Error: {line}\n")
    assert list(folder.iterdir()) == []


def test_mnist(isingprop, monkeypatch, tmp_path, nobody):
    monkeypatch.setitem(downloads.URLS, "mnist", nobody)
    assert_one_line(
        isingprop("train", "--data", "mnist"),
        f"cannot download {nobody}train-images-idx3-ubyte.gz: {REFUSED}; call again to go on, or "
        "get it by hand and name its folder with --data-dir or ISINGPROP_DATA",
        tmp_path,
    )


@pytest.mark.slow  # a second try
def test_openml(isingprop, monkeypatch, tmp_path, nobody):
    def urlopen(_):
        try:
            raise ConnectionRefusedError(errno.ECONNREFUSED, REFUSED)
        except OSError as error:
            raise urllib.error.URLError(error) from None

    monkeypatch.setattr(_openml, "urlopen", urlopen)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "unused"))
    done = isingprop("train", "--data", "openml:bars")
    line = f"cannot download openml:bars: {REFUSED}; try again, or take a file of your own"
    assert (done.code, done.out, done.err) == (1, "", f"Error: {line}\n")


@pytest.mark.parametrize(
    "words",
    [
        ("qpu", "embed", "--solver", "any"),
        ("train", "--num-train", "10", "--num-test", "10", "--sampler", "dwave"),
    ],
    ids=" ".join,
)
def test_d_wave(isingprop, monkeypatch, tmp_path, tmp_path_factory, nobody, words):
    config = tmp_path_factory.mktemp("d-wave") / "dwave.conf"
    config.write_text(f"[defaults]\nendpoint = {nobody}\ntoken = ABC-1\nhttp_retry_total = 0\n")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(config))
    assert_one_line(
        isingprop(*words),
        f"D-Wave at 127.0.0.1 must be reachable, got: {REFUSED}; check the network, and the "
        "endpoint in: dwave config inspect",
        tmp_path,
    )


def test_the_reason_is_what_the_operating_system_said():
    """A name that is not resolved, as requests wraps it."""
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    unresolved = NameResolutionError("some.host", None, unknown)
    unresolved.__cause__ = unknown
    error = requests.ConnectionError(MaxRetryError(None, "/x", unresolved))
    error.__context__ = unresolved
    assert reason_of(error) == "Name or service not known"
    assert reason_of(TimeoutError("timed\nout")) == "timed out"
    assert reason_of(ValueError("a wrong\nsum")) == "a wrong sum"
    assert reason_of(ValueError()) == "ValueError"
