"""A stand-in for the runner of jobs, which answers with made-up results."""

import numpy as np

from helpers.paper.job_kinds import small_images
from isingprop.paper.common.study_setup import Setup

IMAGES = small_images()


class MadeUp:
    """In place of a Runner: keeps the jobs that it is asked for, and answers with result(job)."""

    def __init__(self, result):
        self.result, self.jobs = result, []

    def run(self, jobs, images, description):
        self.jobs += jobs
        return [self.result(job) for job in jobs]


def setup(tmp_path, **options):
    return Setup(
        **{
            "data": "digits",
            "data_dir": None,
            "num_seeds": 3,
            "seed": 0,
            "quick": True,
            "out": tmp_path,
        }
        | options
    )


def curve(errors, lowest=None, accuracy=0.9, few=0.8, seconds=1.0):
    """The arrays of a Training job."""
    errors = np.array(errors, dtype=float)
    return {
        "error_reads": errors,
        "error_lowest": errors if lowest is None else np.array(lowest, dtype=float),
        "seconds": np.full(len(errors), seconds),
        "test_accuracy": np.array(accuracy),
        "test_accuracy_100": np.array(few),
    }
