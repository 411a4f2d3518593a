"""What tests of whole runs on D-Wave share: the command on a local server, and what must be true in
the end.

The emulated chips give a request that comes again another answer, so that equal bits mean: paid
once.
"""

import json
import shutil

from isingprop.util.checked_files import load_tensors

# On a Z2 one copy of K_{5,40} fits, so each image is a call.
TRAIN = (
    *(
        "train",
        "--num-train",
        "6",
        "--num-test",
        "10",
        "--num-states",
        "3",
        "--hidden",
        "5",
        "--batch-size",
        "3",
    ),
    *("--epochs", "2", "--sampler", "dwave", "--test-sampler", "anneal", "--out", "run"),
)
RESUME = ("train", "--resume", "run")
NUM_CALLS = 12
RECORD = "isingprop.qpu.calls.record"
# The order of what is written: settings of the run and of the record; for each of two updates in an
# epoch three calls and their ids, and three answers; checkpoint, model and history.
CALL, ANSWER, CHECKPOINT = 3, 9, 21


def on_disk(record):
    """The id of each call in a record, and whether its answer is there."""
    found = []
    for path in sorted(record.glob("*.safetensors")):
        tensors, metadata = load_tensors(path, "qpu-call", ("qubits",))
        found.append((json.loads(metadata["call"])["problem_id"], "samples" in tensors))
    return found


def assert_paid_once_and_kept(sapi, folder, unbroken=None):
    assert len(sapi.paid) == NUM_CALLS
    assert sorted(on_disk(folder / "run" / "qpu")) == sorted((paid.id, True) for paid in sapi.paid)
    if unbroken is not None:
        assert (folder / "run" / "model.safetensors").read_bytes() == unbroken


def go_on(run, sapi, folder):
    """Resumes, or starts anew where the run had not come to write its settings."""
    if (folder / "run" / "config.json").is_file():
        return run(sapi, *RESUME)
    assert sapi.paid == []
    shutil.rmtree(folder / "run", ignore_errors=True)
    return run(sapi, *TRAIN)


def finish(run, sapi, folder, unbroken=None):
    """Goes on to the end, where nothing was lost and nothing paid twice."""
    resumed = go_on(run, sapi, folder)
    assert resumed.wait() == 0, resumed.stderr
    assert_paid_once_and_kept(sapi, folder, unbroken)
