"""The room of records: calls and answers on disk, whole, for one process at a time, and never with a token."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import isingprop as ip
import tolerances
from isingprop.qpu.calls.record import Call, Index, Record, Tile, decode, read_settings
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.util import files
from isingprop.util.files import save_tensors

SETTINGS = {"name": "DWave", "mode": "forward", "descend": True, "num_reads": None}
OTHER = {"name": "DWave", "mode": "reverse", "num_reads": None}
TIMING = {"qpu_access_time": 15_250.0, "qpu_programming_time": 15_000.0}


def a_call(
    label="isingprop-1", *, requests=("first", "second"), num_reads=3, apex=False, seed=0
) -> Call:
    """Two copies of three spins (and an apex), chains of 1 to 4 qubits, some of them turned over."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, (2, 3 + apex)).astype(np.int32)
    flips = random.choice(np.array([-1, 1], np.int8), lengths.shape)
    return Call(
        label=label,
        tiles=tuple(Tile(request, 2 * k, 0, num_reads - k) for k, request in enumerate(requests)),
        num_spins=3,
        qubits=random.permutation(1000)[: lengths.sum()].astype(np.int32),
        chain_lengths=lengths,
        flips=flips,
        initial_state=random.choice(np.array([-1, 1], np.int8), lengths.sum()),
        parameters={
            "num_reads": num_reads,
            "anneal_schedule": [[0.0, 1.0], [0.1, 0.3], [20.0, 1.0]],
        },
        notes={
            "solver": "a chip",
            "scale": 0.1,
            "chain_strength": 1 / 3,
            "clipped": 0,
            "estimated_seconds": 0.015,
        },
    )


def random_samples(call, seed=1):
    shape = call.parameters["num_reads"], len(call.qubits)
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), shape)


def same_call(first, second) -> bool:
    def same(name):
        one, other = getattr(first, name), getattr(second, name)
        if isinstance(one, np.ndarray):
            return tolerances.same_bits(one, other)
        return (
            [vars(tile) for tile in one] == [vars(tile) for tile in other]
            if name == "tiles"
            else one == other
        )

    return all(same(field.name) for field in fields(Call))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def record(tmp_path):
    return Record.of(tmp_path, SETTINGS)


@pytest.mark.parametrize("apex", [False, True])
def test_what_is_written_is_read_back_to_the_same_bits(record, tmp_path, apex):
    call = a_call(apex=apex)
    record.begin(call)
    assert same_call(Index(tmp_path).pending[call.label], call)
    call = record.identify(call, "id-7")
    assert same_call(Index(tmp_path).pending[call.label], call)
    samples = random_samples(call)
    record.finish(call, samples, TIMING)
    spins, broken = decode(call, samples)
    for index in (record.index, Index(tmp_path)):
        for k, tile in enumerate(call.tiles):
            reads, answer = index.reads(tile.request)
            assert tolerances.same_bits(reads, spins[k, : tile.count])
            assert same_call(answer.call, call)
            assert answer.timing == TIMING
            assert answer.chain_break_fraction == broken
            assert answer.seconds == pytest.approx(0.01525)


def test_a_call_is_pending_then_identified_then_answered(record, tmp_path):
    call = a_call()
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert (len(make().pending), make().seconds, "first" in make()) == (0, 0.0, False)
    record.begin(call)
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert make().pending[call.label].problem_id is None
        assert "first" not in make()
    identified = record.identify(call, "id-7")
    assert identified.problem_id == "id-7"
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert make().pending[call.label].problem_id == "id-7"
        assert (make().seconds, "first" in make()) == (0.0, False)
    record.finish(identified, random_samples(call), TIMING)
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert make().pending == {}
        assert make().seconds == pytest.approx(0.01525)
        assert [request in make() for request in ("first", "second", "third")] == [
            True,
            True,
            False,
        ]
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_seconds_are_those_of_all_answers(record, tmp_path):
    for k in range(3):
        call = a_call(f"isingprop-{k}", requests=(f"request {k}",))
        record.begin(call)
        record.finish(
            call, random_samples(call), {"qpu_access_time": 1000.0 * (k + 1)} if k else {}
        )
    assert record.index.seconds == Index(tmp_path).seconds == pytest.approx(0.005)


def test_a_dropped_call_leaves_nothing(record, tmp_path):
    before = contents(tmp_path)
    call = a_call()
    record.begin(call)
    assert contents(tmp_path) != before
    record.drop(call)
    assert contents(tmp_path) == before
    assert record.index.pending == {}
    record.drop(call)  # twice does no harm


def test_reads_of_a_problem_on_several_copies_are_put_in_order(record):
    call = replace(
        a_call(requests=("one", "one")), tiles=(Tile("one", 0, 3, 2), Tile("one", 5, 0, 3))
    )
    samples = random_samples(call)
    record.begin(call)
    record.finish(call, samples, TIMING)
    reads, _ = record.index.reads("one")
    spins, _ = decode(call, samples)
    assert tolerances.same_bits(reads, np.concatenate([spins[1, :3], spins[0, :2]]))


def test_decoding_undoes_the_spin_reversal_and_takes_the_state_with_the_apex_up():
    call = a_call(apex=True)
    assert call.flips.min() == -1
    random = np.random.default_rng(2)
    logical = random.choice(np.array([-1, 1], np.int8), (3, 2, 4))
    assert logical[:, :, -1].min() == -1
    samples = np.repeat((logical * call.flips).reshape(3, -1), call.chain_lengths.ravel(), axis=1)
    spins, broken = decode(call, samples)
    wanted = (logical[:, :, :-1] * logical[:, :, -1:]).swapaxes(0, 1)
    assert tolerances.same_bits(spins, np.ascontiguousarray(wanted))
    assert broken == 0


def test_the_fraction_of_broken_chains_is_of_all_chains_of_all_reads():
    call = a_call(seed=3)
    longest = int(call.chain_lengths.argmax())
    assert call.chain_lengths.flat[longest] > 2
    samples = np.ones((3, len(call.qubits)), np.int8)
    samples[1, call.chain_lengths.ravel()[:longest].sum()] = -1
    spins, broken = decode(call, samples)
    assert broken == pytest.approx(1 / 18)
    assert tolerances.same_bits(spins, decode(call, np.ones_like(samples))[0])


@pytest.mark.parametrize("seed", range(4))
def test_a_tie_goes_to_the_sign_that_lowers_the_energy(tmp_path, seed):
    """Of a hidden spin, and of an output spin; chains of two qubits, all others of one value."""
    random = np.random.default_rng(seed)
    problem = ip.IsingProblem(
        random.normal(size=(2, 2)), random.normal(size=(1, 2)), random.normal(size=(1, 2))
    )
    settings = ip.DWave(descend=False).settings()
    tasks = tasks_of(problem, 4, 0, None, settings)
    logical = random.choice(np.array([-1, 1], np.int8), (4, 4))
    samples = np.repeat(logical, 2, axis=1)
    for read in range(4):
        samples[read, 2 * read] *= -1  # spin number `read` is tied
    call = Call(
        label="tied",
        tiles=(Tile(tasks[0].request, 0, 0, 4),),
        num_spins=4,
        qubits=np.arange(8, dtype=np.int32),
        chain_lengths=np.full((1, 4), 2, np.int32),
        flips=np.ones((1, 4), np.int8),
        initial_state=np.empty(0, np.int8),
        parameters={"num_reads": 4},
        notes={"clipped": 0},
    )
    Record.of(tmp_path, settings).finish(call, samples, TIMING)
    states = ip.Replay(tmp_path).sample(problem, 4, seed=0)
    for read in range(4):
        both = np.stack([logical[read]] * 2)
        both[:, read] = 1, -1
        energies = problem.energies(both[None])[0]
        assert states.spins[0, read].tolist() == both[energies.argmin()].tolist()
        assert states.energies[0, read] == pytest.approx(energies.min())


def test_the_answers_of_another_sampler_are_refused(tmp_path):
    folder = tmp_path / "qpu"
    Record.of(folder, SETTINGS)
    before = contents(folder)
    wanted = r"^record .* must hold answers of \{.*'reverse'.*\}, got those of \{.*'forward'"
    with pytest.raises(ValueError, match=wanted):
        Record.of(folder, OTHER)
    assert contents(folder) == before


def test_samplers_of_one_process_share_a_folder(record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    assert Record.of(tmp_path, SETTINGS) is record
    assert Record.of(Path(tmp_path.name), SETTINGS) is record
    assert Record.of(tmp_path / "other", SETTINGS) is not record
    with pytest.raises(ValueError, match="must hold answers of"):
        Record.of(tmp_path, OTHER)


@pytest.mark.parametrize("settings", [SETTINGS, OTHER])
@pytest.mark.parametrize("way", ["moved", "removed", "replaced"])
def test_a_folder_that_was_removed_or_moved_is_opened_anew(tmp_path, way, settings):
    folder = tmp_path / "qpu"
    first = Record.of(folder, SETTINGS)
    call = a_call()
    first.finish(call, random_samples(call), TIMING)
    if way == "moved":
        folder.rename(tmp_path / "moved")
    else:
        shutil.rmtree(folder)
    if way == "replaced":
        folder.mkdir()
        (folder / "lock").touch()
    second = Record.of(folder, settings)
    assert second is not first
    assert "first" not in second.index
    assert read_settings(folder) == settings


@pytest.mark.parametrize("reason", ["other settings", "a damaged answer", "a full disk"])
def test_a_refused_folder_is_let_go_of_at_once(tmp_path, monkeypatch, reason):
    """While the error is still being looked at, as in a notebook."""
    damaged(tmp_path, lambda path: path.write_bytes(b"") if reason == "a damaged answer" else None)
    if reason == "a full disk":
        (tmp_path / "settings.json").unlink()
    with monkeypatch.context() as patched:
        if reason == "a full disk":
            patched.setattr(os, "fsync", fail_for_want_of_space)
        with pytest.raises((ValueError, OSError)) as caught:
            Record.of(tmp_path, OTHER if reason == "other settings" else SETTINGS)
    for path in tmp_path.glob("*.safetensors"):
        path.unlink()
    assert Record.of(tmp_path, SETTINGS).index.seconds == 0.0
    assert "at work" not in str(caught.value)


def test_the_folder_is_made_with_its_parents_and_settings(tmp_path):
    folder = tmp_path / "runs" / "qpu"
    Record.of(folder, SETTINGS)
    assert read_settings(folder) == SETTINGS
    assert sorted(contents(folder)) == ["lock", "settings.json"]


HOLDER = f"""
import sys, time
from pathlib import Path
from isingprop.qpu.calls.record import Record
record = Record.of(Path(sys.argv[1]), {SETTINGS!r})
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_another_process_is_refused_until_the_first_one_ends_however_it_ends(tmp_path, death):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(BlockingIOError) as caught:
                Record.of(tmp_path, SETTINGS)
            message = str(caught.value)
            assert (
                message
                == f"{tmp_path} must be written by one process at a time, got another at work"
            )
        finally:
            holder.send_signal(death)
            holder.wait(timeout=tolerances.PROCESS_SECONDS)
    assert Record.of(tmp_path, SETTINGS).index.pending == {}


def test_reading_takes_no_lock(record, tmp_path):
    call = a_call()
    record.begin(call)
    record.finish(call, random_samples(call), TIMING)
    assert "first" in Index(tmp_path)
    assert repr(ip.Replay(tmp_path)) == f"Replay({str(tmp_path)!r})"


def damaged(folder, damage):
    """A folder with one answer, and its file after some damage."""
    record = Record.of(folder, SETTINGS)
    call = a_call()
    record.begin(call)
    record.finish(call, random_samples(call), TIMING)
    del record
    path = folder / f"{call.label}.safetensors"
    damage(path)
    return path


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "empty": lambda path: path.write_bytes(b""),
    "cut in the header": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "text": lambda path: path.write_text(
        "not safetensors at all, but long enough to be read as such"
    ),
    "another kind": lambda path: save_tensors(path, "model", {"samples": np.zeros(3)}, {}),
    "an earlier kind": lambda path: save_tensors(path, "qpu-answer", {"samples": np.zeros(3)}, {}),
    "without arrays": lambda path: save_tensors(
        path, "qpu-call", {"samples": np.zeros(3)}, {"call": "{}"}
    ),
    "without a call": lambda path: resaved(path, None),
    "a call that is no JSON": lambda path: resaved(path, "{"),
    "a call that is a list": lambda path: resaved(path, "[1]"),
    "a call with a field too many": lambda path: resaved(path, "added"),
}


def resaved(path, head):
    arrays, metadata = files.load_tensors(path, "qpu-call", ())
    if head == "added":
        head = json.dumps(json.loads(metadata["call"]) | {"colour": "red"})
    save_tensors(path, "qpu-call", arrays, {} if head is None else {"call": head})


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_no_call_is_refused_by_name(tmp_path, damage):
    path = damaged(tmp_path, DAMAGES[damage])
    before = contents(tmp_path)
    for make in (
        lambda: Record.of(tmp_path, SETTINGS),
        lambda: Index(tmp_path),
        lambda: ip.Replay(tmp_path),
    ):
        with pytest.raises(ValueError, match="must") as caught:
            make()
        assert str(caught.value).startswith(f"{path} must ")
        assert "\n" not in str(caught.value)
    assert contents(tmp_path) == before


def test_a_file_of_another_version_is_refused_by_name(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(files, "FORMAT_VERSION", "0")
        path = damaged(tmp_path, lambda _: None)
    with pytest.raises(ValueError, match="format version 1, got '0'") as caught:
        Index(tmp_path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "\xff"])
def test_settings_that_do_not_read_are_refused_by_name(tmp_path, text):
    damaged(tmp_path, lambda _: (tmp_path / "settings.json").write_bytes(text.encode("latin-1")))
    for make in (lambda: Record.of(tmp_path, SETTINGS), lambda: ip.Replay(tmp_path)):
        with pytest.raises(
            ValueError, match=r"settings\.json must hold the settings of a sampler, got"
        ) as caught:
            make()
        assert str(caught.value).startswith(f"{tmp_path / 'settings.json'} must ")


def test_a_folder_without_settings_is_no_record(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="must be a folder of recorded answers, got one without settings"
    ):
        ip.Replay(tmp_path)
    with pytest.raises(FileNotFoundError, match="must be a folder of recorded answers"):
        ip.Replay(tmp_path / "not there")


def test_an_answer_without_samples_is_refused_by_name(tmp_path):
    def without_samples(path):
        arrays, metadata = files.load_tensors(path, "qpu-call", ())
        del arrays["samples"]
        save_tensors(path, "qpu-call", arrays, metadata)

    path = damaged(tmp_path, without_samples)
    with pytest.raises(ValueError, match="must hold samples") as caught:
        Index(tmp_path).reads("first")
    assert str(caught.value).startswith(str(path))


@pytest.fixture
def full_disk(monkeypatch):
    """A switch: from then on nothing can be flushed to the disk."""

    def fill():
        monkeypatch.setattr(os, "fsync", fail_for_want_of_space)

    return fill


def fail_for_want_of_space(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["begin", "identify", "finish"])
def test_a_full_disk_leaves_what_was_there(tmp_path, record, full_disk, step):
    answered = a_call("isingprop-0", requests=("before",))
    record.begin(answered)
    record.finish(answered, random_samples(answered), TIMING)
    call = a_call()
    if step != "begin":
        record.begin(call)
    before, pending = contents(tmp_path), set(record.index.pending)
    full_disk()
    steps = {
        "begin": lambda: record.begin(call),
        "identify": lambda: record.identify(call, "id-7"),
        "finish": lambda: record.finish(call, random_samples(call), TIMING),
    }
    with pytest.raises(OSError, match="No space left on device"):
        steps[step]()
    assert contents(tmp_path) == before
    assert set(record.index.pending) == set(Index(tmp_path).pending) == pending
    assert "before" in record.index
    assert "first" not in record.index
    assert record.index.seconds == pytest.approx(0.01525)


def test_a_full_disk_stops_a_new_record(tmp_path, full_disk):
    full_disk()
    with pytest.raises(OSError, match="No space left on device"):
        Record.of(tmp_path / "qpu", SETTINGS)
    assert not (tmp_path / "qpu" / "settings.json").exists()


def test_temporary_files_of_a_killed_process_are_no_answers(tmp_path, record):
    (tmp_path / ".isingprop-1.safetensors.4711.tmp").write_bytes(b"half an answer")
    assert Index(tmp_path).pending == {}
