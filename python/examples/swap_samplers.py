"""Trains one network with any sampler: only the line that makes the sampler is another.

    python python/examples/swap_samplers.py                 # all that need no account: some 15 s
    python python/examples/swap_samplers.py temper dimod    # these two
    python python/examples/swap_samplers.py dwave           # a D-Wave chip, which costs QPU time

300 digits, 5 epochs, 5 states per image. Prints a line for each sampler: the share of 360 other
digits that the network classifies without error, seconds in the sampler, and its calls. Most take
less than a second; "dimod" gets a call for each image, and "emulated" is a D-Wave chip each of
whose qubits is annealed in software, so they take some seconds.

"dwave" needs an account (`dwave setup`). Its price is printed first, and training stops where it
would cost more than the budget. Answers are kept in runs/qpu-...: a second run is free.
"""

import sys
import tempfile
from collections.abc import Callable

from dwave.samplers import SimulatedAnnealingSampler

import isingprop as ip

NUM_HIDDEN, NUM_TRAIN, EPOCHS, NUM_STATES, BATCH_SIZE = 30, 300, 5, 5, 20
QPU_BUDGET = 10.0  # seconds of access time


def emulated_chip() -> ip.DWave:
    """Returns a D-Wave sampler on a small chip in software, with its answers in a new folder."""
    chip = ip.EmulatedQPU("zephyr", size=6)
    return ip.DWave(solver=chip, record=tempfile.mkdtemp(prefix="isingprop-"))


SAMPLERS: dict[str, Callable[[ip.Readout], ip.Sampler]] = {
    "class-states": lambda readout: ip.ClassStates(readout),
    "anneal": lambda readout: ip.Annealing(num_sweeps=30),
    "temper": lambda readout: ip.Tempering(num_sweeps=30),
    "cyclic": lambda readout: ip.Cyclic(num_sweeps=30),
    "dimod": lambda readout: ip.FromDimod(SimulatedAnnealingSampler(), num_sweeps=30),
    "emulated": lambda readout: emulated_chip(),
    "dwave": lambda readout: ip.DWave(budget=QPU_BUDGET),
}


class Counted:
    """Counts the calls of a sampler. Any object with this method is a sampler for isingprop."""

    def __init__(self, sampler: ip.Sampler) -> None:
        """Keeps the sampler."""
        self.sampler, self.calls = sampler, 0

    def sample(self, problem, num_reads=1, seed=None, initial=None):
        """Hands the call on."""
        self.calls += 1
        return self.sampler.sample(problem, num_reads, seed, initial)


def price(chip: ip.DWave, num_output: int) -> str:
    """Returns what the training would cost on a chip; nothing is sent."""
    run = {"num_images": NUM_TRAIN, "epochs": EPOCHS, "batch_size": BATCH_SIZE}
    network = {"num_hidden": NUM_HIDDEN, "num_output": num_output}
    plan = chip.estimate(num_states=NUM_STATES, **run, **network)
    return f"{plan.calls} calls of a real chip take {plan.seconds:.2f} s of its time"


def main(names: list[str]) -> None:
    """Trains with each of the samplers and prints its line."""
    images = ip.load_data("digits", num_train=NUM_TRAIN)
    for name in names:
        network = ip.BipartiteNetwork.random(
            num_inputs=64, num_hidden=NUM_HIDDEN, num_classes=10, redundancy=1
        )
        sampler = Counted(SAMPLERS[name](network.readout))
        if isinstance(sampler.sampler, ip.DWave):
            print(f"{name}: {price(sampler.sampler, network.num_output)}")

        settings = {"optimizer": "adam", "learning_rate": 0.01, "margin": 2}
        if name == "cyclic":  # its reads begin in the states of wrong classes
            settings["references"] = "wrong-classes"
        trainer = ip.Trainer(
            network, sampler, num_states=NUM_STATES, batch_size=BATCH_SIZE, **settings
        )
        for _ in range(EPOCHS):  # trainer.fit would also test by the sampler after each epoch
            trainer.train_epoch(images.train_images, images.train_labels)

        accuracy = (network.predict(images.test_images) == images.test_labels).mean()
        seconds = sum(record.seconds_sampling for record in trainer.history)
        print(f"{name:12} {accuracy:6.1%} {seconds:8.2f} s {sampler.calls:4} calls", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:] or [name for name in SAMPLERS if name != "dwave"]
    if unknown := sorted(set(given) - set(SAMPLERS)):
        sys.exit(f"samplers must be of {', '.join(SAMPLERS)}, got {unknown[0]}")
    try:
        main(given)
    except (ConnectionError, ip.QPUBudgetError) as error:  # only "dwave" raises them
        sys.exit(f"dwave: {error}")
