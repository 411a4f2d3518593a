"""Every kernel on every instruction set, in CPU time: `pytest bench`; `--benchmark-disable` for a
smoke run.

Rates are in `extra_info` (`--benchmark-json`), from the median round, for instance
spin_updates_per_second. Each call of a small bench gets another seed or image: a processor learns
to predict the branches of one.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import numpy as np
import pytest
from instances import image_set, new_network
from pytest_benchmark.fixture import BenchmarkFixture

import isingprop as ip
from isingprop import kernels
from isingprop.coherent import Anneal
from isingprop.energy_model.model import GIBBS
from isingprop.training.learning_rule import LearningRates, update_in_place

NUM_IMAGES = 1000
NUM_READS = 20
EPOCH_SWEEPS = 30  # Annealing's default
EPOCH_ROUNDS = 5
NUM_STEPS = 20

pytestmark = pytest.mark.benchmark(timer=time.process_time)


@pytest.fixture(params=kernels.available_kernels(), autouse=True)
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs each bench once for each instruction set of this processor."""
    before = kernels.current_kernel()
    kernels.select_kernel(request.param)
    yield request.param
    kernels.select_kernel(before)


@pytest.fixture(scope="module")
def images() -> ip.ImageSet:
    return image_set(num_train=NUM_IMAGES, num_test=100)


@pytest.fixture(scope="module")
def problem(images: ip.ImageSet) -> ip.IsingProblem:
    return new_network().problem(images.train_images)


@pytest.fixture(scope="module")
def spins(problem: ip.IsingProblem) -> np.ndarray:
    """Low-energy states, (NUM_IMAGES, NUM_READS, N)."""
    return ip.Annealing(num_sweeps=EPOCH_SWEEPS).sample(problem, num_reads=NUM_READS, seed=0).spins


def add_rates(benchmark: BenchmarkFixture, **work: float) -> None:
    """Divides the work of one round by its median CPU time, where anything was timed."""
    if benchmark.enabled:
        seconds = benchmark.stats["median"]
        benchmark.extra_info |= {
            f"{name}_per_second": amount / seconds for name, amount in work.items()
        }


def test_local_fields(benchmark: BenchmarkFixture, images: ip.ImageSet) -> None:
    network = new_network()
    fields = benchmark(network.hidden_fields, images.train_images)
    assert fields.shape == (NUM_IMAGES, network.num_hidden)
    add_rates(benchmark, images=NUM_IMAGES)


def test_energies(benchmark: BenchmarkFixture, problem: ip.IsingProblem, spins: np.ndarray) -> None:
    energies = benchmark(problem.energies, spins)
    assert energies.shape == spins.shape[:2]
    add_rates(benchmark, states=energies.size)


@pytest.mark.parametrize(
    ("num_problems", "num_reads", "num_sweeps"),
    [(1, 1, 30), (1, 20, 30), (1, 20, 100), (200, 20, 100)],
    ids=["1x1-30", "1x20-30", "1x20-100", "200x20-100"],
)
def test_anneal(
    benchmark: BenchmarkFixture,
    problem: ip.IsingProblem,
    num_problems: int,
    num_reads: int,
    num_sweeps: int,
) -> None:
    """From one image per call, as training does, to bulk; ids are problems x reads - sweeps."""
    part = problem[:num_problems]
    sampler, seeds = ip.Annealing(num_sweeps=num_sweeps), itertools.count()
    states = benchmark(lambda: sampler.sample(part, num_reads=num_reads, seed=next(seeds)))
    assert states.energies.shape == (num_problems, num_reads)
    chains = num_problems * num_reads
    add_rates(benchmark, spin_updates=chains * num_sweeps * part.num_spins, states=chains)


def test_reference_states(
    benchmark: BenchmarkFixture, images: ip.ImageSet, problem: ip.IsingProblem
) -> None:
    """The nudged state of each image's own class, Eq. (7)."""
    network = new_network()
    outputs = network.readout.targets(images.train_labels[:, None])
    states = benchmark(network.states_with_outputs, problem.hidden_fields, outputs)
    assert states.shape == (NUM_IMAGES, 1, problem.num_spins)
    add_rates(benchmark, states=NUM_IMAGES)


@pytest.mark.parametrize("batch_size", [1, 50])
def test_update(
    benchmark: BenchmarkFixture, images: ip.ImageSet, spins: np.ndarray, batch_size: int
) -> None:
    """Adds the update of one minibatch. A tiny rate keeps the parameters finite over all rounds."""
    network, rates = new_network(), LearningRates.of(1e-12).array()
    nudged = np.ascontiguousarray(spins[:, :1])
    starts = itertools.cycle(range(0, NUM_IMAGES, batch_size))

    def update() -> None:
        batch = slice(start := next(starts), start + batch_size)
        update_in_place(network, images.train_images[batch], spins[batch], nudged[batch], rates)

    benchmark(update)
    add_rates(benchmark, images=batch_size)


@pytest.mark.parametrize("num_states", [1, NUM_READS], ids=["equilibrium", "dragon"])
def test_epoch(benchmark: BenchmarkFixture, images: ip.ImageSet, num_states: int) -> None:
    """The first epoch of a new network: 1,000 images, one per update."""

    def new_trainer() -> tuple[tuple[ip.Trainer], dict[str, object]]:
        return (ip.Trainer(new_network(), ip.Annealing(EPOCH_SWEEPS), num_states=num_states),), {}

    def epoch(trainer: ip.Trainer) -> ip.EpochRecord:
        return trainer.train_epoch(images.train_images, images.train_labels)

    record = benchmark.pedantic(epoch, setup=new_trainer, rounds=EPOCH_ROUNDS)
    assert record.epoch == 1
    num_spins = new_network().num_hidden + new_network().num_output
    updates = NUM_IMAGES * num_states * EPOCH_SWEEPS * num_spins
    add_rates(benchmark, images=NUM_IMAGES, spin_updates=updates)


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
@pytest.mark.parametrize("num_hidden", [8, 12], ids=["14-qubits", "18-qubits"])
def test_evolve(benchmark: BenchmarkFixture, num_hidden: int, dtype: str) -> None:
    """Times Trotter steps of the coherent annealer on one thread, within a tile and beyond."""
    problem = ip.IsingProblem(
        np.full((num_hidden, 6), 0.1), np.zeros((1, num_hidden)), np.zeros((1, 6))
    )
    run = Anneal(problem, 10.0, NUM_STEPS, dtype=dtype, num_threads=1)
    state = benchmark(lambda: run.forward(run.start()))
    assert state.shape == (2**problem.num_spins,)
    add_rates(benchmark, steps=NUM_STEPS, gates=NUM_STEPS * state.size * (problem.num_spins + 1))


NUM_UNITS = 548  # hidden, of the perceptrons' paper


@pytest.fixture(scope="module")
def model() -> ip.EnergyModel:
    return ip.EnergyModel.random(num_inputs=784, num_hidden=NUM_UNITS, seed=0)


def test_weighted_sums(
    benchmark: BenchmarkFixture, images: ip.ImageSet, model: ip.EnergyModel
) -> None:
    """W1 x + b in double precision; products with dark pixels count, though they are not made."""
    inputs = images.train_images.astype(np.float64)
    benchmark(model.hidden_fields, inputs)
    add_rates(benchmark, multiply_adds=inputs.size * NUM_UNITS)


def test_output_distribution(
    benchmark: BenchmarkFixture, images: ip.ImageSet, model: ip.EnergyModel
) -> None:
    """P(y | x) by summing over hidden units."""
    fields = model.hidden_fields(images.train_images)
    benchmark(kernels.output_distribution, fields, model.output_weights, model.output_bias)
    add_rates(benchmark, exponentials=2 * fields.size)


def test_hidden_means(
    benchmark: BenchmarkFixture, images: ip.ImageSet, model: ip.EnergyModel
) -> None:
    """What a gradient needs of hidden units, with both outputs."""
    fields = model.hidden_fields(images.train_images)
    benchmark(kernels.hidden_means, fields, model.output_weights, np.ones((len(fields), 2)))
    add_rates(benchmark, sigmoids=2 * fields.size)


def test_gibbs_sampling(
    benchmark: BenchmarkFixture, images: ip.ImageSet, model: ip.EnergyModel
) -> None:
    """Outputs of a batch of five, 1,000 reads of each, as in training."""
    seeds = itertools.count()
    benchmark(lambda: model.sample(images.train_images[:5], num_reads=1000, seed=next(seeds)))
    add_rates(benchmark, spin_updates=5 * 1000 * GIBBS.num_sweeps * (NUM_UNITS + 1))
