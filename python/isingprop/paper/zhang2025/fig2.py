"""Fig. 2 of the paper: low-energy states at nine moments of training, as maps of the plane.

Jobs: `Statistics` for each seed, which measures distances and order over all states; and `Map` for
each moment of the first seed, which embeds its states in the plane. The measures support what a
map alone cannot prove.

Writes fig2.csv, fig2_points.csv and fig2_overlaps.csv, fig2.json and fig2.md, and the pictures fig2
(maps) and fig2_order (distances, order and overlaps) as PNG and SVG.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from isingprop.paper.common.jobs import Job, Runner
from isingprop.paper.common.study_setup import Setup, described
from isingprop.paper.zhang2025.fig2_numbers import summary, write_rows
from isingprop.paper.zhang2025.fig2_plot import plot_maps, plot_order
from isingprop.paper.zhang2025.fig2_report import report
from isingprop.paper.zhang2025.landscape_plot import aligned
from isingprop.paper.zhang2025.moments import Course, Map, Sampling, Statistics

LEARNING_RATE = 3e-4  # the choices in fig2_report give the reason


def moments_of(setup: Setup) -> tuple[float, ...]:
    """Returns the moments in epochs, up to the paper's 13.

    The first epoch is divided into half decades, because most of the change happens in it.
    """
    if setup.quick:
        return 0.0, 0.1, 0.3, 1.0, 3.0
    return 0.0, 0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 7.0, 13.0


def jobs_of(setup: Setup) -> tuple[list[Statistics], list[Map]]:
    """Returns the jobs that measure states, one for each seed, and those that map them."""
    sampling = Sampling(30, 20) if setup.quick else Sampling(100, 100)
    num_landmarks = 300 if setup.quick else 2000
    moments = moments_of(setup)

    courses = [Course(seed, LEARNING_RATE, moments) for seed in setup.seeds]
    statistics = [Statistics(course, sampling) for course in courses]

    # A map is of the last moment of its course, so each moment has a course that ends there.
    ends = [Course(setup.seed, LEARNING_RATE, moments[: k + 1]) for k in range(len(moments))]
    return statistics, [Map(each, sampling, num_landmarks) for each in ends]


def number_of_jobs(setup: Setup) -> int:
    """Returns the number of jobs: one for each seed, and one for each moment."""
    return setup.num_seeds + len(moments_of(setup))


def reproduce(setup: Setup, runner: Runner) -> dict[str, Any]:
    """Runs the jobs and writes all files of the study; returns what the JSON file has."""
    start = perf_counter()
    images, moments = setup.load_data(), moments_of(setup)

    statistics, maps = jobs_of(setup)
    jobs: list[Job] = [*maps, *statistics]  # the first map takes longest, so it starts first
    found = runner.run(jobs, images, "landscapes")
    maps_found, seeds_found = found[: len(maps)], found[len(maps) :]

    stacked = {name: np.stack([each[name] for each in seeds_found]) for name in seeds_found[0]}
    points = aligned([each["points"] for each in maps_found])
    numbers = summary(moments, stacked, maps_found) | setup.facts(images)

    write_rows(setup, moments, stacked, maps_found, points)
    picture = plot_maps(moments, stacked, maps_found, points, images.num_classes)
    shown = (
        f"Low-energy states of {len(maps_found[0]['labels'])} test images in the network of seed "
        f"{setup.seed}; accuracy: lowest states of these images"
    )
    setup.write_picture("fig2", picture, shown, described(images))
    shown = (
        "Distances and overlaps of low-energy states; means, bars: 95 % interval over seeds, cut "
        "to possible values"
    )
    setup.write_picture("fig2_order", plot_order(moments, stacked), shown, described(images))
    setup.write_report("fig2", report(setup, images, statistics[0], maps[0], numbers))
    numbers["seconds"] = perf_counter() - start
    setup.write_json("fig2", numbers)
    return numbers
