"""The encoding of problems and answers that the Solver API calls qp."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

_DOUBLES, _WHOLE = "<f8", "<i4"


def base64_text(content: bytes) -> str:
    """Returns bytes in base64, as the Solver API has them in JSON."""
    return base64.b64encode(content).decode()


def numbers_of(job: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the numbers of a job as they were sent.

    Args:
        job: the body of a submission.

    Returns:
        The fields of all working qubits of the solver in its order, NaN where a qubit is not used;
        and the couplings between qubits in use, in the order of the solver's couplers.
    """
    data = job["data"]
    fields, couplings = (
        np.frombuffer(base64.b64decode(data[name]), _DOUBLES) for name in ("lin", "quad")
    )
    return fields, couplings


def answer_of(chip: EmulatedQPU, job: Mapping[str, Any]) -> dict[str, Any]:
    """Anneals a job on an emulated chip and returns its encoded answer.

    Raises:
        ValueError: for a job that the chip refuses.
    """
    if job["type"] != "ising":
        raise ValueError(f"type must be ising, got {job['type']}")
    numbers, values = numbers_of(job)
    fields = {
        qubit: field
        for qubit, field in zip(chip.nodelist, numbers.tolist(), strict=True)
        if not np.isnan(field)
    }
    pairs = [(u, v) for u, v in chip.edgelist if u in fields and v in fields]
    couplings = dict(zip(pairs, values.tolist(), strict=True))

    parameters = dict(job["params"])
    if "initial_state" in parameters:  # a list over all qubits, with 3 for one that is not used
        parameters["initial_state"] = dict(enumerate(parameters["initial_state"]))
    reads = chip.sample_ising(fields, couplings, **parameters)

    order = np.argsort(reads.variables)
    bits = np.packbits(reads.record.sample[:, order] > 0, axis=1)
    answer = {
        "format": "qp",
        "active_variables": base64_text(np.array(sorted(fields), _WHOLE).tobytes()),
        "energies": base64_text(reads.record.energy.astype(_DOUBLES).tobytes()),
        "solutions": base64_text(bits.tobytes()),
        "num_variables": chip.properties["num_qubits"],
        "timing": reads.info["timing"],
    }
    if parameters.get("answer_mode", "histogram") == "histogram":
        counts = reads.record.num_occurrences.astype(_WHOLE)
        answer["num_occurrences"] = base64_text(counts.tobytes())
    return answer
