"""The landscape of a report: low-energy states of some test images through training, on one map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.analysis.landscape import embed, hamming_distances, mean_distances, overlap_counts
from isingprop.cli.run_settings import RunSettings
from isingprop.data.load import Images, Labels
from isingprop.estimator.recipes import CLASS_STATES
from isingprop.network.base_network import Network
from isingprop.samplers.annealing import Annealing
from isingprop.samplers.class_states import ClassStates
from isingprop.states import States
from isingprop.training.layer_sweeps import sample_states
from isingprop.util.checks import Doubles, Spins

NUM_IMAGES, NUM_READS = 100, 5
# On digits the stress is 0.278 with 800 and with 400 of 2,839 states, and 0.302 with 200.
_NUM_LANDMARKS = 800
_SEED = 0  # of the states and the map, which are a picture and no result


@dataclass(frozen=True, eq=False)
class TrainingLandscape:
    """States of B images at E epochs, S of each image.

    They are NUM_READS sampled reads. In a run that trains on class states, whose lowest states need
    have no class, the lowest class state comes before them; then it alone is counted where classes
    and distances are.
    """

    spins: Spins  #: (E, B, S, N)
    energies: Doubles  #: (E, B, S), in the unit of the couplings
    points: Doubles  #: (E, B, S, 2), in spins
    stress: float  #: Kruskal's stress-1 of the map
    num_counted: int  #: of the S states of an image, the first ones

    @classmethod
    def of(
        cls, files: Mapping[int, Path], settings: RunSettings, images: Images
    ) -> TrainingLandscape:
        """Finds the states of images under the model of each epoch, and maps them together."""
        found = [_states(settings.load_network(path), settings, images) for path in files.values()]
        spins = np.stack([states.spins for states in found])
        energies = np.stack([states.energies for states in found])

        every = spins.reshape(-1, spins.shape[-1])
        landscape = embed(every, num_landmarks=_NUM_LANDMARKS, seed=_SEED)
        points = landscape.points.reshape(*spins.shape[:3], 2)
        num_counted = 1 if settings.sampler == CLASS_STATES else NUM_READS
        return cls(spins, energies, points, landscape.stress, num_counted)

    def payload(self, network: Network, labels: Labels) -> dict[str, Any]:
        """Returns the states as the page shows them, as JSON has it.

        Arrays of states are flat. Outputs are four spins a hexadecimal digit, with 1 for +1.
        """
        outputs = self.spins[..., network.num_hidden :]
        classes = network.readout.predict(outputs)
        bits = np.packbits(outputs > 0, axis=-1).reshape(-1, -(-network.num_output // 8))
        counted = self.spins[:, :, : self.num_counted]
        right = classes[:, :, : self.num_counted] == labels[:, None]

        return {
            "perImage": self.spins.shape[2],
            "counted": self.num_counted,
            "outputs": [row.tobytes().hex() for row in bits],
            "classes": classes.ravel().tolist(),
            "energies": np.round(self.energies, 3).ravel().tolist(),
            "x": np.round(self.points[..., 0], 2).ravel().tolist(),
            "y": np.round(self.points[..., 1], 2).ravel().tolist(),
            "right": np.round(right.mean(axis=(1, 2)), 4).tolist(),
            "pairs": [_rounded(mean_distances(overlap_counts(each, labels))) for each in counted],
            "classDistances": [
                [_rounded(row) for row in class_distances(each, labels, network.num_classes)]
                for each in counted
            ],
        }


def class_distances(spins: Spins, labels: Labels, num_classes: int) -> Doubles:
    """Returns the mean Hamming distance of reads of different images, for each pair of labels.

    Args:
        spins: (B, R, N), reads of B images.
        labels: (B,), the classes of the images.
        num_classes: K.

    Returns:
        (K, K), in spins; NaN where there are no two images.
    """
    num_images, num_reads, num_spins = spins.shape
    reads = spins.reshape(-1, num_spins)
    distances = hamming_distances(reads, reads).astype(np.float64)
    means = distances.reshape(num_images, num_reads, num_images, num_reads).mean(axis=(1, 3))

    others = 1 - np.eye(num_images)
    members = (labels[:, None] == np.arange(num_classes)).astype(np.float64)
    sums, counts = (members.T @ each @ members for each in (means * others, others))
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _states(network: Network, settings: RunSettings, images: Images) -> States:
    """Returns sampled states of images, and before them the lowest class state where it is due."""
    sampler = Annealing(num_sweeps=settings.num_sweeps, num_threads=settings.threads)
    states = sample_states(
        network, sampler, images, NUM_READS, _SEED, active_layers=settings.active_layers
    )
    if settings.sampler != CLASS_STATES:
        return states

    lowest = ClassStates(network.readout).sample(network.shallow().problem(images))
    return States.trusted(
        np.concatenate([lowest.spins, states.spins], axis=1),
        np.concatenate([lowest.energies, states.energies], axis=1),
        {},
    )


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    """Returns numbers to two digits after the point, and None for NaN, which JSON does not have."""
    return [None if np.isnan(value) else round(float(value), 2) for value in values]
