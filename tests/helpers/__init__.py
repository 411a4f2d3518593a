"""What the tests of several folders share: exact answers, tolerances, stand-ins and processes."""

import os
from pathlib import Path

TESTS = Path(__file__).parents[1]  # child processes import helpers from here
# Data that are not part of the repository. Tests change the environment, so it is read here, first.
DATA = Path(os.environ.get("ISINGPROP_DATA") or TESTS.parents[1] / "shared" / "data")
