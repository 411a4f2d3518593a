"""Records of calls: what is written, read back and refused."""

import os
import shutil
from dataclasses import fields, replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import isingprop as ip
from helpers import tolerances
from helpers.dwave.qpu_records import (
    SETTINGS,
    TIMING,
    a_call,
    contents,
    damaged,
    fail_for_want_of_space,
    has,
    random_samples,
)
from isingprop.qpu.calls import record as record_module
from isingprop.qpu.calls.call_data import Call, Tile, decode
from isingprop.qpu.calls.record import Index, Record, read_settings
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.util.checked_files import save_json

OTHER = {"name": "DWave", "mode": "reverse", "num_reads": None}


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
            reads, [answer] = index.reads(tile.request)
            assert tolerances.same_bits(reads, spins[k, : tile.count])
            assert same_call(answer.call, call)
            assert answer.timing == TIMING
            assert answer.chain_break_fraction == broken
            assert answer.cost == (pytest.approx(0.01525), False)


def test_a_call_is_pending_then_identified_then_answered(record, tmp_path):
    call = a_call()
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert (len(make().pending), make().seconds, has(make(), "first")) == (0, 0.0, False)
    record.begin(call)
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert make().pending[call.label].problem_id is None
        assert not has(make(), "first")
    identified = record.identify(call, "id-7")
    assert identified.problem_id == "id-7"
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert make().pending[call.label].problem_id == "id-7"
        assert (make().seconds, has(make(), "first")) == (0.0, False)
    record.finish(identified, random_samples(call), TIMING)
    for make in (lambda: record.index, lambda: Index(tmp_path)):
        assert make().pending == {}
        assert make().seconds == pytest.approx(0.01525)
        assert [has(make(), request) for request in ("first", "second", "third")] == [
            True,
            True,
            False,
        ]
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_seconds_are_those_of_all_answers_by_estimate_where_they_do_not_say_it(record, tmp_path):
    for k in range(3):
        call = a_call(f"isingprop-{k}", requests=(f"request {k}",))
        record.begin(call)
        record.finish(
            call, random_samples(call), {"qpu_access_time": 1000.0 * (k + 1)} if k else {}
        )
    for index in (record.index, Index(tmp_path)):
        assert index.seconds == pytest.approx(0.015 + 0.002 + 0.003)
        assert index.num_estimated == 1


def test_a_dropped_call_leaves_nothing(record, tmp_path):
    record.begin(a_call("isingprop-2"))
    record.drop(a_call("isingprop-2"))
    before, call = contents(tmp_path), a_call()
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
    first, second = Record.of(folder, SETTINGS), Record.of(folder, OTHER)
    first.begin(a_call())
    before = contents(folder)
    wanted = r"^record .* must hold answers of \{.*'reverse'.*\}, got those of \{.*'forward'"
    with pytest.raises(ValueError, match=wanted):
        Record.of(folder, OTHER)
    with pytest.raises(ValueError, match=wanted):
        second.begin(a_call("isingprop-2"))
    assert Record.of(folder, SETTINGS) is first
    assert contents(folder) == before


def test_samplers_of_one_process_share_a_folder(record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    assert Record.of(tmp_path, SETTINGS) is record
    assert Record.of(Path(tmp_path.name), SETTINGS) is record
    assert Record.of(tmp_path / "other", SETTINGS) is not record
    record.begin(a_call())
    assert Record.of(tmp_path, SETTINGS) is record
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
    assert not has(second.index, "first")
    second.begin(call)
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


def test_the_first_call_makes_the_folder_with_its_parents_and_settings(tmp_path):
    folder, call = tmp_path / "runs" / "qpu", a_call()
    record = Record.of(folder, SETTINGS)
    assert (record.is_there(), record.index.seconds) == (True, 0.0)
    record.release(record)
    assert list(tmp_path.iterdir()) == []
    record.begin(call)
    assert read_settings(folder) == SETTINGS
    assert sorted(contents(folder)) == [f"{call.label}.safetensors", "lock", "settings.json"]


def test_a_thread_that_comes_while_a_record_is_made_waits_for_it(tmp_path, monkeypatch):
    first, found, threads = Record.of(tmp_path, SETTINGS), [], []

    def save_and_look(*arguments, **options):
        save_json(*arguments, **options)
        threads.append(Thread(target=lambda: found.append(Record.of(tmp_path, SETTINGS))))
        threads[0].start()
        threads[0].join(timeout=0.05)

    monkeypatch.setattr(record_module, "save_json", save_and_look)
    first.begin(a_call())
    threads[0].join()
    assert found == [first]


def test_a_record_that_another_process_has_made_meanwhile_is_not_written_into(tmp_path):
    """The calls were chosen without its answers, which would be paid for twice."""
    folder, elsewhere, call = tmp_path / "qpu", tmp_path / "elsewhere", a_call()
    record, other = Record.of(folder, SETTINGS), Record.of(elsewhere, SETTINGS)
    other.finish(call, random_samples(call), TIMING)
    elsewhere.rename(folder)
    before = contents(folder)
    assert not record.is_there()
    with pytest.raises(BlockingIOError, match=r"qpu must be written by one process at a time, got"):
        record.begin(a_call("isingprop-2"))  # at work
    del other
    with pytest.raises(BlockingIOError, match="got answers of another one; the same call again"):
        record.begin(a_call("isingprop-2"))
    assert contents(folder).keys() == before.keys()
    assert has(Record.of(folder, SETTINGS).index, "first")
