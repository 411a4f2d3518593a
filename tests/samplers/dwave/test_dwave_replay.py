"""Recorded runs that are played back without a chip."""

import pytest

import isingprop as ip
from helpers import TESTS, tolerances
from helpers.dwave.dwave_cases import calls_of, contents, starts_for
from helpers.dwave.rehearsal import small_network, two_classes
from isingprop.qpu.settings import FROM_STARTS, MODES

# Replay


def test_a_replay_has_the_bits_of_the_recorded_run_and_asks_no_chip(make, problem):
    qpu = make("cyclic", spin_reversal=True, num_reads=6)
    starts = starts_for(problem, 2)
    recorded = [qpu.sample(problem, 2, seed=1, initial=starts), qpu.sample(problem, 3, seed=2)]
    before, paid = contents(qpu.record), calls_of(qpu)
    replay = ip.Replay(qpu.record)
    played = [replay.sample(problem, 2, seed=1, initial=starts), replay.sample(problem, 3, seed=2)]
    for one, other in zip(recorded, played, strict=True):
        assert tolerances.same_bits(one.spins, other.spins)
        assert tolerances.same_bits(one.energies, other.energies)
        assert one.info == other.info
    assert (contents(qpu.record), calls_of(qpu)) == (before, paid)
    assert replay.settings() == qpu.settings()
    assert replay.takes_initial


def test_a_replay_refuses_what_was_not_recorded(make, problem, assert_refused):
    qpu = make()
    qpu.sample(problem[:3], seed=1)
    replay = ip.Replay(qpu.record)
    what = f"ValueError: {qpu.record} must hold an answer to problem"
    assert_refused(lambda: replay.sample(problem, seed=1), f"{what} 3, got none")
    assert_refused(lambda: replay.sample(problem[:3], seed=2), f"{what} 0, got none")
    assert_refused(
        lambda: replay.sample(problem[:3]),
        "ValueError: seed must be that of the recorded call, got None",
    )
    assert_refused(
        lambda: replay.sample([1]), "TypeError: problem must be an IsingProblem, got list"
    )
    assert_refused(
        lambda: replay.sample(problem[:3], 0, seed=1),
        "ValueError: num_reads must be at least 1, got 0",
    )
    refusal = "ValueError: references must be None for Replay("
    assert_refused(lambda: ip.Trainer(small_network(), replay, references="wrong-classes"), refusal)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_training_is_played_back_to_the_same_bytes_without_ocean(make, python, tmp_path, mode):
    references = None if mode not in FROM_STARTS else "wrong-classes"
    options = {"num_states": 3, "batch_size": 2, "references": references, "seed": 4}
    network = small_network()
    trainer = ip.Trainer(network, make(mode, spin_reversal=True), **options)
    history = trainer.fit(two_classes(), epochs=2)
    trainer.save_checkpoint(tmp_path / "checkpoint.safetensors")
    network.save(tmp_path / "model.safetensors")
    done = python(f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
import isingprop as ip
from helpers.dwave.rehearsal import small_network, two_classes
network = small_network()
trainer = ip.Trainer(network, ip.Replay({str(tmp_path / "record")!r}), **{options!r})
history = trainer.fit(two_classes(), epochs=2)
network.save({str(tmp_path / "played.safetensors")!r})
trainer.restore({str(tmp_path / "checkpoint.safetensors")!r})
names = "train_error_reads", "test_accuracy", "qpu_seconds", "chain_break_fraction"
print([tuple(getattr(record, name) for name in names) for record in history])
packages = {{name.split(".")[0] for name in sys.modules}}
print(sorted(packages & {{"dwave", "dimod", "networkx", "minorminer"}}))
""")
    assert done.returncode == 0, done.stderr
    told, modules = done.stdout.splitlines()
    assert modules == "[]"
    wanted = [
        (r.train_error_reads, r.test_accuracy, r.qpu_seconds, r.chain_break_fraction)
        for r in history
    ]
    assert told == str(wanted)
    assert (tmp_path / "played.safetensors").read_bytes() == (
        tmp_path / "model.safetensors"
    ).read_bytes()
