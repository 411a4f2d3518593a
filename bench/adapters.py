"""One function per package: arrays in, spins out, as a user of that package would write it.

All annealers have the same schedule: one sweep at each beta of a geometric 2 to 40, best at the
papers' initial scale. Only ours ends with a zero-temperature descent, as it does by default;
compare.py says what that is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler

import isingprop as ip

if TYPE_CHECKING:
    from torch import Tensor

Array = np.ndarray
# (J (H, O), h (B, H), g (1, O), sweeps, reads, seed) -> spins (B, reads, H + O), hidden spins first
Adapter = Callable[[Array, Array, Array, int, int, int], Array]
Draw = Callable[["Tensor"], "Tensor"]  # fills it, uniformly in [0, 1)

BETA_RANGE = (2.0, 40.0)
OURS = "isingprop"
REFERENCE = "dwave-samplers"
TORCH_IMAGES = 100  # at a time, its best: one is half as fast, and 1,000 fall out of the cache
BIFURCATION_STEP = 0.75  # the best of 0.1 (default) to 1.25; heating does not help at it


def isingprop_tuned(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    sampler = ip.Annealing(num_sweeps=sweeps, beta_range=BETA_RANGE)
    return sampler.sample(ip.IsingProblem(J, h, g), num_reads=reads, seed=seed).spins


def isingprop_default(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    sampler = ip.Annealing(num_sweeps=sweeps)
    return sampler.sample(ip.IsingProblem(J, h, g), num_reads=reads, seed=seed).spins


def dwave_samplers(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    sampler = SimulatedAnnealingSampler()
    rows, columns = np.indices(J.shape).reshape(2, -1)
    quadratic = (rows, columns + len(J), J.ravel())
    spins = np.empty((len(h), reads, sum(J.shape)), dtype=np.int8)
    settings = {"num_sweeps": sweeps, "num_reads": reads, "beta_range": BETA_RANGE}
    for b, fields in enumerate(h):
        linear = np.concatenate([fields, g[0]])
        bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(linear, quadratic, 0.0, "SPIN")
        spins[b] = sampler.sample(
            bqm, seed=seed + b, **settings
        ).record.sample  # variables come in order
    return spins


def openjij(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    """No seed: OpenJij starts each read from it, and all reads are then the same."""
    from openjij import SASampler

    sampler = SASampler()
    couplings = {(i, len(J) + a): x for i, row in enumerate(J.tolist()) for a, x in enumerate(row)}
    spins = np.empty((len(h), reads, sum(J.shape)), dtype=np.int8)
    settings = {
        "num_sweeps": sweeps,
        "num_reads": reads,
        "beta_min": BETA_RANGE[0],
        "beta_max": BETA_RANGE[1],
    }
    for b, fields in enumerate(h):
        linear = dict(enumerate(np.concatenate([fields, g[0]]).tolist()))
        spins[b] = sampler.sample_ising(linear, couplings, sparse=False, **settings).record.sample
    return spins


def pytorch_gibbs(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    """No descent."""
    return heat_bath(torch_uniform(seed), J, h, g, sweeps, reads)


def pytorch_gibbs_sfc64(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    """Samples without a descent, with NumPy's fastest generator, which beats PyTorch's."""
    return heat_bath(numpy_uniform(seed), J, h, g, sweeps, reads)


def pytorch_metropolis(J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int) -> Array:
    """No descent."""

    def update(spins: Tensor, gains: Tensor, random: Tensor) -> None:
        flips = random.lt_(gains.mul_(spins).exp_())
        spins.addcmul_(spins, flips, value=-2)

    return block_updates(update, torch_uniform(seed), (-1, 1), J, h, g, sweeps, reads)


def heat_bath(draw: Draw, J: Array, h: Array, g: Array, sweeps: int, reads: int) -> Array:
    """On bits b, s = 2 b - 1, which one comparison writes."""
    import torch

    def update(bits: Tensor, gains: Tensor, random: Tensor) -> None:
        torch.ge(random, gains.sigmoid_(), out=bits)

    bits = block_updates(
        update, draw, (0, 1), 2 * J, h - J.sum(axis=1), g - J.sum(axis=0), sweeps, reads
    )
    return 2 * bits - 1


def torch_uniform(seed: int) -> Draw:
    import torch

    torch.manual_seed(seed)
    return torch.Tensor.uniform_


def numpy_uniform(seed: int) -> Draw:
    random = np.random.Generator(np.random.SFC64(seed))

    def draw(numbers: Tensor) -> Tensor:
        random.random(out=numbers.numpy(), dtype=np.float32)
        return numbers

    return draw


def block_updates(
    update: Callable[[Tensor, Tensor, Tensor], None],
    draw: Draw,
    values: tuple[int, int],
    J: Array,
    h: Array,
    g: Array,
    sweeps: int,
    reads: int,
) -> Array:
    """Runs half-sweeps of all reads of TORCH_IMAGES images at once.

    Each is a matrix product, then update(states, 2 beta f, random).
    """
    import torch

    torch.set_num_threads(1)
    couplings, hidden, output = (torch.from_numpy(x).float() for x in (J, h, g))
    done = []
    for part in hidden.split(TORCH_IMAGES):
        fields = part.repeat_interleave(reads, 0), output.repeat(len(part) * reads, 1)
        gains, random, states = ([torch.empty_like(x) for x in fields] for _ in range(3))
        for layer in states:
            draw(layer).round_().mul_(values[1] - values[0]).add_(values[0])
        for beta in np.geomspace(*BETA_RANGE, sweeps).tolist():
            for own, other, matrix in ((0, 1, couplings.T), (1, 0, couplings)):
                torch.addmm(
                    fields[own],
                    states[other],
                    matrix,
                    beta=2 * beta,
                    alpha=2 * beta,
                    out=gains[own],
                )
                update(states[own], gains[own], draw(random[own]))
        done.append(torch.cat(states, 1).to(torch.int8).view(len(part), reads, -1))
    return torch.cat(done).numpy()


def simulated_bifurcation(
    J: Array, h: Array, g: Array, sweeps: int, reads: int, seed: int
) -> Array:
    """Runs the discrete variant, with the pressure at its end just after the last step.

    By default the pressure would hardly have begun to rise.
    """
    import simulated_bifurcation as sb
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    sb.set_env(time_step=BIFURCATION_STEP, pressure_slope=1 / (BIFURCATION_STEP * sweeps))
    matrix = np.zeros((sum(J.shape),) * 2, dtype=np.float32)
    matrix[: len(J), len(J) :] = J
    settings = {"agents": reads, "max_steps": sweeps, "mode": "discrete", "early_stopping": False}
    spins = np.empty((len(h), reads, len(matrix)), dtype=np.int8)
    for b, fields in enumerate(h):
        linear = np.concatenate([fields, g[0]], dtype=np.float32)
        polynomial = torch.from_numpy(matrix), torch.from_numpy(linear)
        spins[b] = sb.minimize(
            *polynomial, domain="spin", best_only=False, verbose=False, **settings
        )[0].numpy()
    return spins


ADAPTERS: dict[str, Adapter] = {
    OURS: isingprop_tuned,
    "isingprop, default beta": isingprop_default,
    REFERENCE: dwave_samplers,
}
TORCH_ADAPTERS: dict[str, Adapter] = {
    "pytorch, block Gibbs": pytorch_gibbs,
    "pytorch, Gibbs, SFC64": pytorch_gibbs_sfc64,
    "pytorch, block Metropolis": pytorch_metropolis,
}
# By the name to import; needed here only.
EXTRA_ADAPTERS: dict[str, dict[str, Adapter]] = {
    "torch": TORCH_ADAPTERS,
    "openjij": {"openjij": openjij},
    "simulated_bifurcation": {"simulated-bifurcation": simulated_bifurcation},
}
SLOW = {"openjij", "simulated-bifurcation"}  # so slow that a few images and reads must do


def adapters(*, extra: bool) -> dict[str, Adapter]:
    """Returns our own dependencies and, where asked for, other packages that are installed."""
    table = dict(ADAPTERS)
    for module, found in EXTRA_ADAPTERS.items():
        if extra and find_spec(module):
            table |= found
    return table
