"""The scripts of python/examples run; those that need a package of others, where it is there."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import TESTS

EXAMPLES = TESTS.parent / "python" / "examples"
LOGGED = ("train_error_reads", "test_accuracy", "seconds_sampling")


def run_example(name, *arguments, cwd):
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return done


def needs(*modules):
    """Skips a test where one of the modules is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.mark.slow
@needs("tensorboard")
def test_tensorboard_has_a_number_for_each_epoch(tmp_path):
    run_example("tensorboard_callback.py", "board", cwd=tmp_path)
    read = (
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "events = EventAccumulator('board').Reload()\n"
        f"print([[each.step for each in events.Tensors(name)] for name in {LOGGED}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == [str(3 * [[1, 2, 3, 4, 5]])], done.stderr


@pytest.mark.slow
@needs("mlflow", "sqlalchemy", "alembic")
def test_mlflow_has_settings_history_and_model(tmp_path):
    store = f"sqlite:///{tmp_path}/runs.db"
    run_example("mlflow_callback.py", store, cwd=tmp_path)
    read = (
        "from mlflow import MlflowClient\n"
        f"client = MlflowClient({store!r})\n"
        "experiment = client.get_experiment_by_name('isingprop')\n"
        "(run,) = client.search_runs([experiment.experiment_id])\n"
        "steps = [[each.step for each in client.get_metric_history(run.info.run_id, name)]"
        f" for name in {LOGGED}]\n"
        "files = [each.path for each in client.list_artifacts(run.info.run_id)]\n"
        "print(run.data.params['num_states'], steps, files)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True
    )
    expected = f"5 {3 * [[1, 2, 3, 4, 5]]} ['model.safetensors']"
    assert done.stdout.splitlines()[-1:] == [expected], done.stderr


def test_every_example_has_a_test():
    here = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'"{path.name}"' not in here] == []
