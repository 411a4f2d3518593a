"""Logs a training to MLflow: its settings, the history epoch by epoch, and the model.

    pip install mlflow
    python python/examples/mlflow_callback.py sqlite:///runs.db
    mlflow ui --backend-store-uri sqlite:///runs.db

`Trainer.train` yields the record of each epoch when it is done: the body of the loop is the
callback. Five epochs take a second, and MLflow's new database ten; prints the accuracy and where
the numbers are. `pip install mlflow-skinny sqlalchemy alembic` is enough to log, without the pages.
"""

import math
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import mlflow

import isingprop as ip


def main(tracking_uri: str, epochs: int = 5) -> None:
    """Trains on digits and logs it as a run of the experiment "isingprop"."""
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment("isingprop")
    images = ip.load_data("digits", num_train=300, num_test=100)
    network = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=40, num_classes=10)
    trainer = ip.Trainer(network, ip.Annealing(num_sweeps=20), num_states=5)

    with mlflow.start_run(), tempfile.TemporaryDirectory() as folder:
        mlflow.log_params({"network": network, "num_states": trainer.num_states, "epochs": epochs})
        for record in trainer.train(images, epochs):
            numbers = asdict(record).items()
            known = {k: v for k, v in numbers if v is not None and not math.isnan(v)}
            mlflow.log_metrics(known, step=record.epoch)

        model = Path(folder) / "model.safetensors"
        network.save(model)
        mlflow.log_artifact(str(model))

    view = f"mlflow ui --backend-store-uri {tracking_uri}"
    print(f"test accuracy {record.test_accuracy:.1%}; to look: {view}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///runs.db")
