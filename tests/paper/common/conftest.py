"""Fixtures of tests that run jobs."""

from pathlib import Path

import pytest

import isingprop as ip
from helpers.paper.job_kinds import small_images


@pytest.fixture(scope="module")
def images() -> ip.ImageSet:
    return small_images()


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "log"
