"""Every kind of file that isingprop writes and reads again, with what a reader gets from it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pooch
from safetensors import safe_open
from safetensors.numpy import save_file

import isingprop as ip
from helpers import oracle
from helpers.cli.settings_of_runs import settings_of_a_run
from helpers.dwave.qpu_records import SETTINGS, TIMING, a_call, has, random_samples
from helpers.paper.job_kinds import Count, small_images
from helpers.training.training_runs import DATA, make
from isingprop.cli.qpu_commands.plan.measurements import Measurements
from isingprop.cli.run_folder import RunFolder
from isingprop.paper.common.jobs import Runner
from isingprop.qpu.calls.call_files import load_answer
from isingprop.qpu.calls.record import Index, Record, read_settings
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.embed.embedding_cache import copies_of, stored_copies
from isingprop.training import checkpoints
from isingprop.training.checkpoints import Checkpoint

SETTINGS_OF_A_RUN = settings_of_a_run()


class Written(NamedTuple):
    """Files, and a function that returns all that is read from them."""

    paths: list[Path]
    read: Callable[[], Any]


def bits(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}


def shallow_model(folder: Path) -> Written:
    network = oracle.random_network()
    network.beta = 1.5
    return _model(network, folder)


def deep_model(folder: Path) -> Written:
    return _model(ip.LayeredNetwork.random(num_inputs=7, hidden=(6, 5), num_classes=3), folder)


def _model(network: Any, folder: Path) -> Written:
    path = folder / "model"
    network.save(path)

    def read() -> Any:
        found = type(network).load(path)
        return bits(found.parameters()), found.num_classes, getattr(found, "beta", None)

    return Written([path], read)


def energy_model(folder: Path) -> Written:
    path = folder / "model"
    ip.EnergyModel.random(num_inputs=5, num_hidden=4).save(path)
    return Written([path], lambda: bits(vars(ip.EnergyModel.load(path).to_mlp())))


def checkpoint(folder: Path) -> Written:
    """With Adam's arrays, and the earlier records in a second file."""
    path, trainer = folder / "checkpoint", make(optimizer="adam")
    before, checkpoints._BLOCK = checkpoints._BLOCK, 2
    try:
        for _ in trainer.train(DATA, 3):
            trainer.save_checkpoint(path)
    finally:
        checkpoints._BLOCK = before

    def read() -> Any:
        found = Checkpoint.load(path)
        optimizer = dict(found.optimizer)
        arrays = bits(found.parameters) | bits(optimizer.pop("arrays"))
        return arrays, found.settings, found.history, found.data_checksum, optimizer

    return Written(sorted(folder.iterdir()), read)


def run_settings(folder: Path) -> Written:
    run = RunFolder.create(folder / "run", SETTINGS_OF_A_RUN)
    return Written(
        [run.path / "config.json"], lambda: asdict(RunFolder.open(folder / "run").settings)
    )


def record(folder: Path) -> Written:
    """One answered call and one that waits, and their settings."""
    mine, answered, waiting = Record.of(folder, SETTINGS), a_call(), a_call("isingprop-2")
    mine.begin(answered)
    mine.finish(answered, random_samples(answered), TIMING)
    mine.begin(waiting)
    del mine

    def read() -> Any:
        load_answer.cache_clear()
        index = Index(folder)
        if not has(index, "first"):
            return "no answer"
        spins, [answer] = index.reads("first")
        found = read_settings(folder), spins.tobytes(), answer.timing, index.seconds
        return (
            *found,
            answer.chain_break_fraction,
            *map(_call, (answer.call, *index.pending.values())),
        )

    return Written([*folder.glob("*.safetensors"), folder / "settings.json"], read)


def _call(call: Any) -> Any:
    fields = dict(vars(call), tiles=[vars(tile) for tile in call.tiles])
    arrays = {name: each for name, each in fields.items() if isinstance(each, np.ndarray)}
    return bits(arrays), bits(call.by_qubit), {n: fields[n] for n in fields if n not in arrays}


def embeddings(folder: Path) -> Written:
    graph = WorkingGraph.perfect("pegasus", 2)
    cache = Path(pooch.os_cache("isingprop")) / "embeddings"
    before = set(cache.glob("*"))
    copies_of(graph, 4, 4)
    return Written(list(set(cache.glob("*")) - before), lambda: stored_copies(graph, 4, 4))


def measurements(folder: Path) -> Written:
    key = str(folder)
    numbers = Measurements(key)
    numbers.put("error", 0.125)
    numbers.put([1, 2], 0.25)
    return Written([numbers._path], lambda: Measurements(key)._numbers or None)


def result_of_a_job(folder: Path) -> Written:
    images, job = small_images(), Count(str(folder / "log"), 3)
    with Runner(folder / "jobs", workers=1) as runner:
        runner.run([job], images, "")
    [path] = (folder / "jobs").glob("*.safetensors")
    text = json.loads(_header(path))["job"]

    def read() -> Any:
        found = runner._load(hashlib.sha256(text.encode()).hexdigest(), text)
        return None if found is None else bits(found)

    return Written([path], read)


def _header(path: Path) -> str:
    with safe_open(path, "numpy") as file:
        return file.metadata()["isingprop"]


def take_checksum_away(path: Path) -> None:
    """Makes a file one of the versions before there were checksums."""
    if path.suffix == ".jsonl":  # its checksum is in the other file
        return
    if path.read_bytes().startswith(b"{"):
        content = json.loads(path.read_text())
        del content["sha256"], content["format_version"]
        path.write_text(json.dumps(content))
        return

    header = json.loads(_header(path)) | {"format_version": "1"}
    del header["sha256"]
    with safe_open(path, "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, {"isingprop": json.dumps(header)})


KINDS = (
    *(shallow_model, deep_model, energy_model, checkpoint, run_settings, record),
    *(embeddings, measurements, result_of_a_job),
)
