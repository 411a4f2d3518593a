"""The control experiment: its methods, its job, and what it measures of low states."""

from dataclasses import fields, replace

import numpy as np
import pytest

import isingprop as ip
from helpers.paper.made_up import IMAGES, setup
from isingprop.paper.common.methods import CYCLIC, DRAGON, EQUILIBRIUM, Training
from isingprop.paper.control import control_jobs as jobs
from isingprop.paper.control.control_jobs import CURVES, LOW_STATES, ControlTraining
from isingprop.paper.control.control_methods import SAMPLED_PAIRS, methods_for, rates_for, sizes

METHODS = methods_for(2)


def test_the_papers_methods_are_those_of_fig_5():
    assert (METHODS["dragon"], METHODS["cyclic"], METHODS["equilibrium"]) == (
        DRAGON,
        CYCLIC,
        EQUILIBRIUM,
    )


@pytest.mark.parametrize(("own", "other"), SAMPLED_PAIRS)
def test_compared_methods_differ_in_their_free_states_only(own, other):
    differing = {
        field.name
        for field in fields(METHODS[own])
        if getattr(METHODS[own], field.name) != getattr(METHODS[other], field.name)
    }
    assert differing <= {"title", "sampler", "num_states", "references"}


@pytest.mark.parametrize("name", METHODS)
def test_titles_are_unlike_and_averages_begin_in_the_second_half(name):
    method = methods_for(30)[name]
    assert [other.title for other in METHODS.values()].count(method.title) == 1
    assert getattr(method, "average_from", None) in (None, 16)


def test_a_quick_run_has_one_size_and_every_method_a_grid(tmp_path):
    assert [size.num_train for size in sizes(setup(tmp_path))] == [300]
    full = setup(tmp_path, quick=False, data="mnist")
    assert [size.num_train for size in sizes(full)] == [1000, 10_000]
    assert list(rates_for(full)) == list(METHODS)


# The job


@pytest.mark.parametrize("name", ["dragon-adam", "class-states-margin"])
def test_a_job_of_an_ising_network_is_a_trainers_epochs_with_tests(name):
    found = ControlTraining(METHODS[name], 0.005, 2, 7).run(IMAGES)
    trainer = METHODS[name].trainer(IMAGES, 0.005, 7)
    for epoch in range(2):
        record = trainer.train_epoch(IMAGES.train_images, IMAGES.train_labels, 2)
        assert found["error_reads"][epoch] == record.train_error_reads
        assert found["error_lowest"][epoch] == record.train_error_lowest
        right = trainer.model.predict(IMAGES.train_images) == IMAGES.train_labels
        assert found["train_error"][epoch] == 1 - right.mean()
        tested = trainer.model.predict(IMAGES.test_images) == IMAGES.test_labels
        assert found["test_accuracy"][epoch] == tested.mean()
        low = jobs.low_states(trainer.network, IMAGES, 7)
        np.testing.assert_array_equal([found[key][epoch] for key in LOW_STATES], low)
    assert trainer.model is not trainer.network
    sampled = ip.predict(trainer.model, ip.Annealing(30), IMAGES.test_images, seed=7)
    assert found["test_accuracy_sampled"] == (sampled == IMAGES.test_labels).mean()
    assert set(found) == {*CURVES, *LOW_STATES, "test_accuracy_sampled"}


@pytest.mark.parametrize("name", ["backprop-squared", "backprop-hinge"])
def test_a_job_of_backpropagation_has_no_low_states(name):
    found = ControlTraining(METHODS[name], 0.005, 2, 7).run(IMAGES)
    assert set(found) == set(CURVES)
    same = Training(METHODS[name], 0.005, 2, 7).run(IMAGES)
    assert found["error_reads"].tolist() == same["error_reads"].tolist()
    assert found["test_accuracy"][-1] == same["test_accuracy"]


# Low states


def few(count=4):
    labels = np.arange(count) % 2
    return replace(
        IMAGES,
        train_images=IMAGES.train_images[:count],
        train_labels=labels,
        test_labels=IMAGES.test_labels % 2,
        num_classes=2,
    )


def test_low_states_are_compared_with_class_states_one_by_one():
    """The bias of the outputs is such that some states are codes."""
    network = ip.BipartiteNetwork.random(num_inputs=16, num_hidden=12, num_classes=2, seed=2)
    network.output_bias[:] = 0.6 * np.array([1, 1, 1, 1, -1, -1, -1, -1])
    found = dict(zip(LOW_STATES, jobs.low_states(network, few(), 3), strict=True))
    states = ip.sample_states(network, jobs.PROBE, few().train_images, 20, 3)
    energies = network.class_energies(few().train_images)
    unit = np.abs(energies[:, 0] - energies[:, 1]).mean()
    codes, above, lowest = [], [], []
    for image in range(4):
        for read in range(20):
            outputs = states.spins[image, read, 12:]
            codes.append(abs(outputs[:4].sum()) == 4 and (outputs[:4] == -outputs[4:]).all())
            plus = [(outputs[4 * c : 4 * c + 4]).sum() for c in range(2)]
            if plus[0] != plus[1]:
                above.append(states.energies[image, read] - energies[image, int(np.argmax(plus))])
        lowest.append(states.energies[image].min() - energies[image].min())
    assert 0 < found["codes"] == np.mean(codes)
    assert found["above"] == pytest.approx(np.mean(above) / unit)
    assert found["below"] == np.mean(np.array(above) < -1e-3) < 1
    assert found["lowest_above"] == pytest.approx(np.mean(lowest) / unit)
    assert found["lowest_below"] == np.mean(np.array(lowest) < -1e-3)


def test_low_states_of_a_network_of_strong_codes_are_its_class_states():
    """Biases that favour the code of class 1 by far."""
    network = ip.BipartiteNetwork.random(num_inputs=16, num_hidden=12, num_classes=2, seed=4)
    network.output_bias[:] = 100 * np.array([1, 1, 1, 1, -1, -1, -1, -1])
    found = dict(zip(LOW_STATES, jobs.low_states(network, few(), 3), strict=True))
    assert found["codes"] == found["codes_lowest"] == 1
    assert found["below"] == found["lowest_below"] == found["other_class"] == 0
    assert found["lowest_above"] == pytest.approx(0, abs=1e-6)
