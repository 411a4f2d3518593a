"""Flux biases that balance the chains of a network, from calls for calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from dwave.system.temperatures import h_to_fluxbias

from isingprop.problem import IsingProblem
from isingprop.qpu.calls.call_files import call_path, load_samples
from isingprop.qpu.calls.connection import device_name
from isingprop.qpu.calls.device_session import DeviceSession
from isingprop.qpu.calls.program import Indices
from isingprop.qpu.calls.record import Record
from isingprop.qpu.calls.tasks import tasks_of
from isingprop.qpu.chip.schedules import solver_property
from isingprop.qpu.chip.working_graph import WorkingGraph
from isingprop.qpu.settings import Settings
from isingprop.util.checks import Doubles

# Temperature of a qubit in units of h, between those that D-Wave publishes: 0.11 to 0.12 for
# Advantage2, 0.20 to 0.22 for Advantage. It only sets the size of probes and of the first step.
_TEMPERATURE = 0.16
_PROBE = 0.7  # change of x from the best guess in each call, by turns up and down
_RESPONSES = 0.1, 10.0  # bounds of the response r that is measured


def flux_shim(
    session: DeviceSession,
    record: Record,
    problem: IsingProblem,
    settings: Settings,
    *,
    num_calls: int,
    num_reads: int,
    seed: int,
) -> Doubles:
    """Returns flux biases at which chains without fields and couplings have no magnetisation.

        magnetisation of a chain = tanh(r (x - x_0)),
        flux bias of its qubits = x |h_to_fluxbias(T)| / length

    with T = 0.16, so that r = 1 for chains that freeze at that temperature. Each call measures all
    chains of all copies at x = guess of x_0 -+ 0.7. The response r, which chains of one length
    share, and x_0 of each chain are fitted to the inverse hyperbolic tangents of all magnetisations
    m by least squares, weighted by their precision, reads * (1 - m^2).

    Args:
        session: the device.
        record: where calls and answers are written.
        problem: problems of the network, which determine the strength of chains.
        settings: settings of the sampler; the search starts from its flux biases.
        num_calls: number of measurements, at least 2.
        num_reads: reads of each chain in a measurement, which takes several calls where one cannot
            make them.
        seed: seed of the requests.

    Returns:
        (qubits of the chip, working or not), in units of Phi_0.

    Raises:
        RuntimeError: where another chip gave an answer.
    """
    free = _free_spins(problem, settings)
    step = _calibration(session, problem, settings)
    program = session.with_settings(step).chip(*free.couplings.shape, from_starts=False).program
    lengths = program.chain_lengths.ravel()
    of_qubit = np.repeat(np.arange(len(lengths)), lengths)

    begin = np.zeros(solver_property(session.device.properties, "num_qubits"))
    if settings.flux_biases is not None:
        begin += settings.flux_biases

    def biases_at(x: Doubles) -> Doubles:
        biases = begin.copy()
        biases[program.qubits] += abs(h_to_fluxbias(_TEMPERATURE)) * (x / lengths)[of_qubit]
        return biases

    guess, points = np.zeros(len(lengths)), []
    for k in range(num_calls):
        x = guess + (-1) ** k * _PROBE
        own = session.with_settings(replace(step, flux_biases=tuple(biases_at(x).tolist())))
        tasks = tasks_of(
            free,
            num_reads * program.num_copies,
            seed,
            None,
            {**own.settings.as_json(), "device": session.kind},
        )
        own.answer(record, free, tasks, seed)
        sums, reads = _sums(session, record, tasks[0].request, len(begin))
        total = np.bincount(of_qubit, sums[program.qubits])
        weight = np.bincount(of_qubit, reads[program.qubits])
        points.append((x, total / weight, weight / lengths))
        guess = _balanced(points, lengths)

    return biases_at(guess)


def _free_spins(problem: IsingProblem, settings: Settings) -> IsingProblem:
    """Returns a problem without fields and couplings, with a spin for each chain of the network.

    In cyclic mode the chains of the spin that is coupled to all others are two of them.
    """
    extra = settings.has_apex and not settings.is_fast
    num_hidden, num_output = problem.num_hidden + extra, problem.num_output + extra
    couplings = np.zeros((num_hidden, num_output))
    return IsingProblem(couplings, np.zeros((1, num_hidden)), np.zeros((1, num_output)))


def _calibration(session: DeviceSession, problem: IsingProblem, settings: Settings) -> Settings:
    """Returns settings of calls for calibration: the network's chains, annealed forward."""
    chip = session.chip(problem.num_hidden, problem.num_output, from_starts=settings.takes_starts)
    return replace(
        chip.uniform_settings(problem),
        mode="fast" if settings.is_fast else "forward",
        num_reads=None,
        spin_reversal=False,
        reinitialize_state=True,
    )


def _sums(
    session: DeviceSession, record: Record, request: str, num_qubits: int
) -> tuple[Doubles, Doubles]:
    """Returns the sum of all reads and the number of reads of each qubit, both (num_qubits,)."""
    device = session.device
    chip = device_name(device), WorkingGraph.of(device).graph_id
    sums, reads = np.zeros((2, num_qubits))

    for answer in record.index.reads(request)[1]:
        call = answer.call
        if (call.notes["solver"], call.notes["graph_id"]) != chip:
            session.close()
            raise RuntimeError(
                f"flux biases must come from one chip, got answers of {call.notes['solver']} "
                f"({call.notes['graph_id']}) and now {chip[0]} ({chip[1]}); use another seed"
            )
        samples = load_samples(call_path(record.folder, call.label))
        sums[call.qubits] += samples.sum(axis=0)
        reads[call.qubits] += len(samples)
    return sums, reads


def _balanced(points: list[tuple[Doubles, Doubles, Doubles]], lengths: Indices) -> Doubles:
    """Returns x_0 of each chain from x, magnetisations and reads of all measurements so far."""
    x, m, reads = (np.array(each) for each in zip(*points, strict=True))
    m = np.clip(m, 1 / reads - 1, 1 - 1 / reads)  # all reads equal: as far as they can tell
    weights, y = reads * (1 - m**2), np.arctanh(m)

    mean_x, mean_y = (np.average(each, axis=0, weights=weights) for each in (x, y))
    spread = (weights * (x - mean_x) ** 2).sum(axis=0)
    change = (weights * (x - mean_x) * (y - mean_y)).sum(axis=0)
    spread, change = (np.bincount(lengths, each)[lengths] for each in (spread, change))
    response = np.where(spread > 0, change / np.where(spread > 0, spread, 1.0), 1.0)
    balanced: Doubles = mean_x - mean_y / np.clip(response, *_RESPONSES)
    return balanced
