"""Time per sweep as the network grows, beside what flips and decisions should cost: shows where
caches end.

    python bench/growth.py [--sizes 120x40 512x512] [--repeats 5] [--plot growth.png]

Couplings and fields are as strong as in the papers' networks at their start, beta follows
Annealing's default rule. Two models of the time of one sweep of H hidden and O output spins, padded
to whole blocks as in memory:

    dense         2 H O multiply-adds, at the rate that a big NumPy product reaches on one thread
    event-driven  a (H + O) decisions + b (flips of hidden spins x O + flips of output spins x H)
    additions

a and b are fitted on small networks, hot to cold, whose couplings lie in the first cache, and
extrapolated: where measured / model leaves 1, the couplings come from further away. So small, b is
what a flip costs whatever the length of its row, shared among 40 to 64 additions: generous to long
rows, and a ratio below 1 is to be expected there.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from schedule import Range, anneal
from threadpoolctl import threadpool_limits

import isingprop as ip
from isingprop.samplers.annealing import RELATIVE_BETA_RANGE
from isingprop.util.plot_axes import COLOURS, set_log_ticks

Array = np.ndarray
Size = tuple[int, int]

SWEEPS, READS = 100, 20
LEAST_PROBLEMS, MOST_PROBLEMS = 8, 64  # of one call: few where they are big
COUPLINGS_PER_CALL = 2_000_000
FIELD = 0.19  # standard deviation of the papers' hidden fields on MNIST
FIT_SIZES = ((30, 40), (60, 40), (48, 48), (64, 64))  # 16 to 32 KiB
FIT_RANGES = ((0.3, 0.3), RELATIVE_BETA_RANGE, (1.5, 1.5), (30.0, 30.0))
BLOCK = 16  # spins; layers are padded to whole ones
DEFAULT_SIZES = [f"{hidden}x40" for hidden in (30, 60, 120, 240, 480, 1200, 2400, 4800)]
DEFAULT_SIZES += [f"{side}x{side}" for side in (128, 256, 512, 1024, 2048)]
PRODUCT_SIDE = 1024
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


@dataclass
class Point:
    """What one size takes and does per sweep."""

    hidden: int
    output: int
    nanoseconds: float
    hidden_flips: float
    output_flips: float

    @property
    def kibibytes(self) -> float:
        """Couplings as the sampler holds them: rows of both layers, float32."""
        return 4 * (self.hidden * padded(self.output) + self.output * padded(self.hidden)) / 1024

    @property
    def work(self) -> tuple[float, float]:
        """Decisions and additions."""
        additions = self.hidden_flips * padded(self.output) + self.output_flips * padded(
            self.hidden
        )
        return padded(self.hidden) + padded(self.output), additions

    @property
    def family(self) -> str:
        """What grows."""
        return "H = O" if self.hidden == self.output else f"O = {self.output}"


def padded(num_spins: int) -> int:
    return -(-num_spins // BLOCK) * BLOCK


def make_problem(size: Size) -> ip.IsingProblem:
    """Several problems of one network."""
    random = np.random.Generator(np.random.PCG64(0))
    count = min(max(COUPLINGS_PER_CALL // (size[0] * size[1]), LEAST_PROBLEMS), MOST_PROBLEMS)
    couplings = (2 * random.random(size, dtype=np.float32) - 1) / np.float32(np.sqrt(size[0]))
    fields = FIELD * random.standard_normal((count, size[0]), dtype=np.float32)
    return ip.IsingProblem(couplings, fields, np.zeros((1, size[1]), dtype=np.float32))


def count_flips(problem: ip.IsingProblem, beta: Range) -> Array:
    """Returns the flips of each layer per sweep, by block Metropolis in NumPy.

    There is one chain per problem, with the schedule of `anneal`.
    """
    random = np.random.Generator(np.random.SFC64(0))
    J, fields = problem.couplings, (problem.hidden_fields, problem.output_fields)
    squares = (fields[0] ** 2).sum(axis=1) + (fields[1] ** 2).sum() + 2 * (J**2).sum()
    unit = np.sqrt(problem.num_spins / squares)[:, None].astype(np.float32)
    spins = [2 * random.integers(2, size=(len(problem), n)).astype(np.float32) - 1 for n in J.shape]
    flips = np.zeros(2)
    for step in np.geomspace(*beta, SWEEPS, dtype=np.float32):
        for layer, matrix in enumerate((J.T, J)):
            gains = (fields[layer] + spins[1 - layer] @ matrix) * spins[layer]
            flip = random.random(gains.shape, dtype=np.float32) < np.exp(
                np.minimum(2 * step * unit * gains, 0)
            )
            spins[layer][flip] *= -1
            flips[layer] += flip.sum()
    return flips / (len(problem) * SWEEPS)


def measure(size: Size, beta: Range, repeats: int) -> Point:
    problem, times = make_problem(size), []
    for seed in range(repeats):
        start = time.process_time()
        anneal(problem, beta, SWEEPS, READS, seed, True)
        times.append(time.process_time() - start)
    nanoseconds = 1e9 * median(times) / (len(problem) * READS * SWEEPS)
    return Point(*size, nanoseconds, *count_flips(problem, beta))


def fit_model(repeats: int) -> Array:
    """(a, b) in ns, of least relative error."""
    points = [measure(size, beta, repeats) for size in FIT_SIZES for beta in FIT_RANGES]
    relative = [np.divide(point.work, point.nanoseconds) for point in points]
    return np.linalg.lstsq(np.array(relative), np.ones(len(points)), rcond=None)[0]


def multiply_adds_per_nanosecond(repeats: int) -> float:
    """Of one thread, in NumPy's product of two big float32 matrices."""
    matrix, times = np.ones((PRODUCT_SIDE, PRODUCT_SIDE), dtype=np.float32), []
    for _ in range(repeats + 1):  # the first warms up
        start = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - start)
    return PRODUCT_SIDE**3 / (1e9 * median(times[1:]))


def dense_nanoseconds(point: Point, rate: float) -> float:
    return 2 * point.hidden * point.output / rate


def cache_sizes() -> dict[str, float]:
    """In KiB, of the data caches; empty where Linux does not tell."""
    sizes = {}
    for folder in sorted(CACHES.glob("index*")):
        kind, level, size = (
            (folder / name).read_text().strip() for name in ("type", "level", "size")
        )
        if kind != "Instruction" and size.endswith("K"):
            sizes[f"L{level}"] = float(size[:-1])
    return sizes


def print_points(points: list[Point], model: Array, rate: float) -> None:
    print(
        f"a {model[0]:.3f} ns per decision, b {model[1]:.4f} ns per addition, "
        f"dense {rate:.1f} multiply-adds per ns"
    )
    caches = ", ".join(f"{name} {size:.0f} KiB" for name, size in cache_sizes().items())
    print(
        f"{SWEEPS} sweeps x {READS} reads, beta {RELATIVE_BETA_RANGE} / rms field; "
        f"caches: {caches or 'unknown'}"
    )
    print(
        f"{'H':>5}{'O':>6}{'KiB':>8}{'H flips':>9}{'O flips':>9}{'ns/sweep':>10}{'ns/spin':>9}",
        end="",
    )
    print(f"{'measured/model':>16}{'dense/measured':>16}")
    for x in points:
        per_spin, ratio = x.nanoseconds / (x.hidden + x.output), x.nanoseconds / (model @ x.work)
        print(
            f"{x.hidden:5}{x.output:6}{x.kibibytes:8.0f}{x.hidden_flips:9.1f}{x.output_flips:9.1f}",
            end="",
        )
        print(
            f"{x.nanoseconds:10.0f}{per_spin:9.2f}{ratio:16.2f}"
            f"{dense_nanoseconds(x, rate) / x.nanoseconds:16.2f}"
        )


def plot(points: list[Point], model: Array, rate: float, file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    for k, family in enumerate(dict.fromkeys(point.family for point in points)):
        part = sorted((p for p in points if p.family == family), key=lambda p: p.kibibytes)
        sizes = [p.kibibytes for p in part]
        axes.plot(
            sizes,
            [p.nanoseconds for p in part],
            "os^vD"[k % 5],
            color=COLOURS[k % len(COLOURS)],
            label=f"{family}: measured",
        )
        axes.plot(
            sizes,
            [model @ p.work for p in part],
            "-",
            color=COLOURS[k % len(COLOURS)],
            label=f"{family}: event-driven model",
        )
        axes.plot(
            sizes,
            [dense_nanoseconds(p, rate) for p in part],
            "--",
            color=COLOURS[k % len(COLOURS)],
            label=f"{family}: dense model",
        )
    for name, size in cache_sizes().items():
        axes.axvline(size, color="gray", linestyle=":")
        axes.annotate(
            name,
            (size, 0),
            xycoords=("data", "axes fraction"),
            xytext=(3, 5),
            textcoords="offset points",
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="couplings in memory (KiB)",
        ylabel="CPU time per sweep (ns)",
    )
    set_log_ticks(axes.xaxis)
    set_log_ticks(axes.yaxis)
    axes.set_title(
        f"One sweep of H hidden and O output spins, mean of {SWEEPS} sweeps from hot to cold"
    )
    figure.legend(loc="outside lower center", ncols=2)
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=DEFAULT_SIZES, metavar="HxO")
    parser.add_argument(
        "--repeats", type=int, default=5, metavar="N", help="timings; medians count"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the times there")
    args = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in args.sizes]
    with threadpool_limits(1):
        model, rate = fit_model(args.repeats), multiply_adds_per_nanosecond(args.repeats)
        points = [measure(size, RELATIVE_BETA_RANGE, args.repeats) for size in sizes]
    print_points(points, model, rate)
    if args.plot:
        plot(points, model, rate, args.plot)


if __name__ == "__main__":
    main()
