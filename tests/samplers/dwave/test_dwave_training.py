"""Training with the D-Wave sampler on emulated chips."""

import numpy as np
import pytest

import isingprop as ip
from helpers import tolerances
from helpers.dwave.dwave_cases import CountedQPU, calls_of
from helpers.dwave.rehearsal import small_network, two_classes
from isingprop.network.bipartite import PARAMETERS
from isingprop.qpu.settings import FROM_STARTS, MODES

# Training


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_trainer_records_what_it_cost_and_how_many_chains_broke(make, mode):
    device = CountedQPU(size=2, flip_rate=0.02)
    qpu = make(mode, solver=device)
    references = None if mode not in FROM_STARTS else "wrong-classes"
    network = small_network()
    before = {name: array.copy() for name, array in network.parameters().items()}
    trainer = ip.Trainer(
        network, qpu, num_states=3, references=references, test_sampler=ip.Annealing()
    )
    history = trainer.fit(two_classes(), epochs=2)
    assert sum(record.qpu_seconds for record in history) == pytest.approx(qpu.qpu_seconds)
    for record in history:
        assert record.qpu_seconds > 0
        assert 0 <= record.chain_break_fraction < 1
        assert (record.wrong_cycles is None) == (mode not in FROM_STARTS)
    assert not any(
        np.array_equal(array, before[name]) for name, array in network.parameters().items()
    )


def test_a_trainer_without_a_chip_records_none_of_it():
    (record,) = ip.Trainer(small_network(), ip.Annealing()).fit(two_classes(), epochs=1)
    assert record.qpu_seconds is None
    assert record.chain_break_fraction is None


def test_references_are_refused_for_forward_annealing(make):
    with pytest.raises(
        ValueError,
        match=r"^references must be None for DWave\(mode='forward'.*takes no start states$",
    ):
        ip.Trainer(small_network(), make(), references="wrong-classes")


@pytest.mark.slow
def test_another_sampler_tests(make):
    """And it is asked for nothing else."""
    noted = []

    class Noted:
        def sample(self, problem, num_reads=1, seed=None):
            noted.append((len(problem), num_reads))
            return ip.Annealing().sample(problem, num_reads, seed)

    qpu = make()
    ip.Trainer(small_network(), qpu, num_states=2, test_sampler=Noted(), num_test_reads=7).fit(
        two_classes(), epochs=2
    )
    assert noted == [(5, 7), (5, 7)]
    assert calls_of(qpu) == 12
    noted.clear()
    chip_tests = ip.Trainer(
        small_network(), ip.Annealing(), test_sampler=make(folder="tests"), num_test_reads=7
    )
    (record,) = chip_tests.fit(two_classes(), epochs=1)
    assert calls_of(chip_tests.test_sampler) == 1
    assert record.qpu_seconds is None, "the states that it learned from cost nothing"


@pytest.mark.slow
def test_a_trainer_that_is_made_anew_pays_nothing_for_what_was_done(make):
    def train(qpu, epochs):
        network = small_network()
        ip.Trainer(network, qpu, num_states=3).fit(two_classes(), epochs=epochs)
        return network

    qpu = make()
    train(qpu, 1)
    paid = calls_of(qpu)
    longer = train(qpu, 2)
    assert calls_of(qpu) == 2 * paid
    whole = train(make(folder="whole"), 2)
    for name in PARAMETERS:
        assert tolerances.same_bits(getattr(longer, name), getattr(whole, name))
