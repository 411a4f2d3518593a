"""Made-up results of the study of coherent training."""

import numpy as np

from helpers.paper.findings import law
from helpers.paper.made_up import MadeUp, curve, setup
from isingprop.paper.coherent_training import coherent_study as coherent
from isingprop.paper.coherent_training.coherent_jobs import (
    CoherentTraining,
    Sizes,
    methods_of,
    sizes_of,
)
from isingprop.paper.coherent_training.coherent_search import Search
from isingprop.paper.coherent_training.coherent_times import AnnealingTimes
from isingprop.paper.common.methods import Training

NAMES = (
    "plain-exact",
    "plain-20",
    "plain-1",
    "amplified-exact",
    "amplified-exact-scaled",
    "amplified-20",
    "amplified-20-scaled",
    "amplified-3-scaled",
)

SHOTS = tuple(name for name in NAMES if "exact" not in name)

SMALL = Sizes(
    num_hidden=2,
    total_time=10.0,
    search_epochs=(2, 6),
    search_times=(20.0, 60.0),
    num_instances=6,
    repetitions=4000,
    time_epochs=(0, 2),
    times=(5.0, 10.0),
)

SHARES = np.array(
    [-0.02, 0.0, 0.02]
)  # by which the exponents of seeds 0, 1, 2 differ from their mean

STUDENT = 4.302653  # t of a 95 % interval for two degrees of freedom

Z = dict(zip(NAMES, (0.5, 0.4, 0.3, 1.2, 0.8, 0.6, 0.4, 0.7), strict=True))


def search_result(power=None, smallest=0.01, noise=0.0):
    """Instances of which counts follow c A^power."""
    power = {"repetition": -2.0, "grover": -1.0, "fixed_point": -1.1} | (power or {})
    amplitude = np.geomspace(smallest, 0.65, 12)
    counts = {way: 2 * amplitude ** (own + noise) for way, own in power.items()}
    facts = {"amplitude": amplitude, "epoch": np.full(12, 2.0), "total_time": np.full(12, 30.0)}
    return facts | counts | {"success": np.full(12, 0.9), "amplified": np.full(12, 0.9 + 1e-7)}


def times_result(sizes, share):
    """An error of 0.2 at the anneal's own time, 0.05 with twice as much; H as it is has a tenth of
    both.
    """
    wrong = np.empty((len(sizes.time_epochs), 2, len(sizes.times)))
    wrong[:, 0] = np.where(np.array(sizes.times) > sizes.total_time, 0.05, 0.2) + share
    wrong[:, 1] = wrong[:, 0] / 10
    field = 2.0 + 0.5 * np.arange(max(sizes.time_epochs) + 1)
    wrong_ground = np.full(len(sizes.time_epochs), 0.05)
    return {
        "ground": 0.9 * (1 - wrong),
        "right": 1 - wrong,
        "wrong_ground": wrong_ground,
        "field": field,
    }


def made_up(which, z=Z, *, best=0, search=search_result):
    """Results for all jobs: power laws; the rate of this number is the best one."""
    sizes = sizes_of(which)
    names = {method: name for name, method in methods_of(sizes).items()}

    def result(job):
        if isinstance(job, Training):
            assert job.seed not in which.seeds
            return curve(np.full(job.epochs, 0.1 + abs(job.learning_rate - sizes.rates[best])))
        share = SHARES[job.seed % 3]
        if isinstance(job, Search):
            return search(noise=share)
        if isinstance(job, AnnealingTimes):
            return times_result(sizes, share / 10)
        assert isinstance(job, CoherentTraining)
        assert job.learning_rate == sizes.rates[best], "not the best"
        name = names[job.method]
        own = law(z[name] + share, job.epochs, 0.4)
        applications = np.full(
            job.epochs, 0.0 if name not in SHOTS else 100.0 * (1 + NAMES.index(name))
        )
        return {
            "error": own,
            "error_reads": law(z[name] + share + 0.1, job.epochs, 0.4),
            "applications": applications,
            "test_accuracy": np.array(0.9 + share),
        }

    return MadeUp(result)


def reproduced(tmp_path, num_seeds=3, quick=True, **options):
    which = setup(tmp_path, num_seeds=num_seeds, quick=quick)
    return coherent.reproduce(which, made_up(which, **options))
