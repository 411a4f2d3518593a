"""An emulated D-Wave chip, for tests and for trial runs without a token or cost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import dimod
import numpy as np
from dwave.cloud.solver import StructuredSolver
from dwave.system.testing import MockDWaveSampler
from numpy.typing import ArrayLike

from isingprop.qpu.chip.chip_file import ChipDescription
from isingprop.qpu.chip.schedules import solver_property
from isingprop.qpu.emulator.anneal_request import Request
from isingprop.qpu.emulator.chip_noise import Noise
from isingprop.qpu.emulator.emulated_anneal import EmulatedAnneal

_PARAMETERS = (
    "anneal_offsets",
    "anneal_schedule",
    "annealing_time",
    "answer_mode",
    "auto_scale",
    "fast_anneal",
    "flux_biases",
    "flux_drift_compensation",
    "h_gain_schedule",
    "initial_state",
    "num_reads",
    "programming_thermalization",
    "readout_thermalization",
    "reinitialize_state",
)
_PAUSES = ("programming_thermalization", "readout_thermalization")
_UNLISTED = ("label", "first_read")  # parameters of the client, and of emulated chips alone
# Properties without which a chip cannot be emulated.
_NEEDED = (
    "annealing_time_range",
    "default_annealing_time",
    "default_programming_thermalization",
    "default_readout_thermalization",
    "h_range",
    "num_reads_range",
    "parameters",
    "problem_timing_data",
)


class EmulatedQPU(MockDWaveSampler):  # type: ignore[misc]
    """A D-Wave chip in software: an annealer of the physical problem, chains and all.

    The default model, "svmc-tf", is spin-vector Monte Carlo with transverse-field-dependent
    updates. Each qubit is a rotor with an angle theta in [0, pi], and

        E / kT = -a(t) sum_u sin theta_u
                 + b(t) [sum_u (g(t) h_u + f_u) cos theta_u + sum_uv J_uv cos theta_u cos theta_v]

    with a = A(s(t)) / 2 kT and b = B(s(t)) / 2 kT of the schedule s(t) and of `EnergyScales`, the
    scales measured on Advantage_system4.1 (for all Pegasus chips) or Advantage2_system1 (Zephyr),
    and the gain g(t) of h_gain_schedule. A sweep proposes theta + min(1, A / B) x, with x uniform
    in (-pi, pi) and theta reflected at 0 and pi, to each rotor and accepts it by the Metropolis
    rule. So the state freezes where A becomes small against B, before s = 1, and a reverse anneal
    keeps its state or loses it depending on how far s falls. Rotors start at pi / 2, in a reverse
    anneal at 0 (spin +1) and pi (spin -1), and are read out as the signs of cos theta.

    The model "classical" is a magnet without a transverse field, sampled by

        P(accept a flip) = 1 / (1 + exp(beta s(t) dE)),
        E = g(t) sum_u h_u s_u + sum_u f_u s_u + sum_uv J_uv s_u s_v.

    At s = 0 all states have the same probability, at s = 1 the chip has its own temperature. It
    does not freeze, except in so far as its sweeps are few.

    In both models f are the fields of flux biases and noise, which do not follow the gain, a chain
    that is coupled too weakly breaks, and each microsecond of the schedule is `sweeps_per_us`
    sweeps over all qubits.

    It answers like a chip: `properties`, `parameters`, `sample_ising()` and the timing of an answer
    are those of a dwave.system.DWaveSampler, and requests that a chip would refuse are refused. Its
    chip_id begins with "emulated-", and nothing is charged. The same requests get the same answers,
    in whatever order they come; labels do not count. The parameter `first_read`, which no chip has,
    says which reads these are where several calls make the reads of one request: calls for other
    reads get other answers.

    Args:
        topology: "pegasus" or "zephyr" for a perfect chip, whose other properties are those of
            Advantage_system4.1 or Advantage2_system1; the name of one of these two, also in lower
            case, for that chip as it is; or a ChipDescription, which reads others from files.
        size: m of P_m or Z_m; None takes that of the largest chips, 16 or 12, or of a real chip.
        broken_qubits: (n,) qubits that do not work.
        broken_couplers: (n, 2) couplers that do not work.
        model: "svmc-tf" or "classical".
        flip_rate: probability that a qubit is read out with the wrong sign, in [0, 1]. D-Wave
            states at most 0.001.
        temperature: of "svmc-tf" alone: temperature in mK, > 0; None takes what D-Wave's
            documentation states: 15.4 (Advantage_system4.1, all of Pegasus) or 20
            (Advantage2_system1, all of Zephyr).
        beta: of "classical" alone: inverse temperature at s = 1, in 1 / (the chip's unit of J),
            > 0; None is 6. Chips were measured at 4.5 to 9.
        sweeps_per_us: sweeps per microsecond of a schedule, > 0; at least one sweep is made. None
            is 15 for "svmc-tf" and 5 for "classical", whose anneals of 20 us then take some 10 ms
            on 280 qubits and end in similar energies. A real qubit tries more often: free qubits
            freeze at betas of 2.1 and 2.8 (Pegasus, Zephyr) in 1 / (the chip's unit of h), at 2.5
            and 3.6 with 100 sweeps, where D-Wave documents 5.1 and 8.9.
        field_noise: standard deviation of a field that each qubit has by itself, the same in all
            calls, in the chip's unit of h, >= 0; flux biases can cancel it. D-Wave's documentation
            shows errors of 0.01 to 0.025.
        coupling_noise: standard deviation of an error that each coupler of a problem has, the same
            in all calls, in the chip's unit of J, >= 0.
        jitter: standard deviation of a further error of each field and coupling of a problem,
            which is another one in each call, >= 0. With the fixed errors it stands for 1/f noise,
            most of which is slower than a call.
        seed: seed of the noise; None draws one.

    Raises:
        ValueError: for another topology, name or model, a size or a rate out of range, a parameter
            of the other model, broken parts that the chip does not have, or a chip without a
            property that every QPU has.

    Example:
        >>> qpu = EmulatedQPU("zephyr", 1)
        >>> u, v = qpu.edgelist[0]
        >>> parameters = {"num_reads": 10, "auto_scale": False, "answer_mode": "raw"}
        >>> answer = qpu.sample_ising({u: -0.5}, {(u, v): -1}, **parameters)
        >>> answer.record.sample.shape, answer.first.sample == {u: 1, v: 1}
        ((10, 2), True)
        >>> qpu.properties["chip_id"][:15]
        'emulated-zephyr'
        >>> real = EmulatedQPU("advantage2_system1")
        >>> len(real.nodelist), real.properties["h_range"]
        (4578, [-6.0, 6.0])

    References:
        Shin, Smith, Smolin & Vazirani 2014, arXiv:1401.7087 (spin-vector Monte Carlo); Albash &
        Marshall 2021, arXiv:2009.04934 (transverse-field-dependent updates). D-Wave's
        documentation: QPU Solver Parameters, QPU Solver Properties, Per-QPU Solver Properties and
        Schedules.
    """

    def __init__(
        self,
        topology: str | ChipDescription = "zephyr",
        size: int | None = None,
        *,
        broken_qubits: ArrayLike = (),
        broken_couplers: ArrayLike = (),
        model: str = "svmc-tf",
        flip_rate: float = 0.0,
        temperature: float | None = None,
        beta: float | None = None,
        sweeps_per_us: float | None = None,
        field_noise: float = 0.0,
        coupling_noise: float = 0.0,
        jitter: float = 0.0,
        seed: int | None = 0,
    ) -> None:
        """Checks the arguments and makes the chip."""
        if not isinstance(topology, ChipDescription):
            topology = ChipDescription.of(topology, size)
        elif size is not None:
            raise ValueError(f"size must be None for a ChipDescription, got {size}")
        chip = topology
        if np.size(broken_qubits) or np.size(broken_couplers):
            chip = chip.without(broken_qubits, broken_couplers)

        noise = Noise.of(
            chip.graph.topology,
            model=model,
            flip_rate=flip_rate,
            temperature=temperature,
            beta=beta,
            sweeps_per_us=sweeps_per_us,
            field_noise=field_noise,
            coupling_noise=coupling_noise,
            jitter=jitter,
            seed=seed,
        )
        graph = chip.graph
        super().__init__(
            nodelist=graph.qubits.tolist(),
            edgelist=[tuple(pair) for pair in graph.couplers.tolist()],
            topology_type=graph.topology,
            topology_shape=list(graph.shape),
            parameter_warnings=False,
            exact_solver_cutoff=0,
        )

        self._list_properties(chip)
        #: All that determines its answers besides its graph.
        self.emulation = str(noise)
        #: The name of the real chip whose ranges and timing data it has.
        self.properties_of = chip.chip_id
        self.substitute_sampler = EmulatedAnneal(noise, graph, self.properties)

    def __repr__(self) -> str:
        """Returns the name of the chip and the number of its working qubits."""
        return f"EmulatedQPU({self.properties['chip_id']}, {len(self.nodelist)} qubits)"

    def _list_properties(self, chip: ChipDescription) -> None:
        """Replaces properties and parameters of MockDWaveSampler by those of a chip."""
        for name in _NEEDED:
            solver_property(chip.properties, name)
        described = chip.properties["parameters"]
        taken = [name for name in _PARAMETERS if name in described]

        self.properties = {
            **chip.properties,
            "chip_id": f"emulated-{chip.name}",
            "qubits": self.nodelist,
            "couplers": self.edgelist,
            "parameters": {name: described[name] for name in taken},
        }
        self.parameters = {name: ["parameters"] for name in taken} | {
            name: [] for name in _UNLISTED
        }

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Anneals a problem on the chip's own qubits.

        Args:
            bqm: the problem, over working qubits and couplers.
            parameters: num_reads, auto_scale=False, answer_mode, label, annealing_time or
                anneal_schedule, fast_anneal, h_gain_schedule, initial_state (a dict of -1 and +1 by
                qubit), reinitialize_state, programming_thermalization, readout_thermalization,
                flux_biases, flux_drift_compensation and anneal_offsets, all as D-Wave defines them,
                and first_read, the index of the first read. Flux biases act like the fields of
                dwave.system.temperatures.fluxbias_to_h, which do not follow the gain; there is no
                drift to compensate for. Anneal offsets are checked and change nothing.

        Returns:
            The reads; info["timing"] has the times in microseconds that a chip would take.

        Raises:
            ValueError: for a request that a chip would refuse, and for auto_scale, which the
                emulation does not do.
        """
        unknown = sorted(set(parameters) - set(self.parameters))
        if unknown:
            raise ValueError(
                f"parameters of EmulatedQPU must be of {sorted(self.parameters)}, "
                f"got {unknown[0]!r}"
            )

        mode = "raw" if parameters.get("initial_state") else "histogram"
        given = {"num_reads": 1, "answer_mode": mode} | parameters
        Request.of(given, self.properties)
        self._check_duration(given)

        answer: Any = super().sample(bqm, **given)
        answer.info["problem_id"] = f"emulated-{answer.info['problem_id']}"
        answer.info["timing"] = self._timing(len(bqm.variables), given)
        if given["answer_mode"] == "histogram":
            answer = answer.truncate(len(answer), sorted_by="energy")
        reads: dimod.SampleSet = answer
        return reads

    def _check_duration(self, parameters: Mapping[str, Any]) -> None:
        """Checks that a chip can make the reads in one call, by the client's own formula."""
        chip = SimpleNamespace(properties=self.properties, software=False)
        pauses = {name: parameters[name] for name in _PAUSES if name in parameters}

        max_reads = StructuredSolver.max_num_reads(
            chip, annealing_time=self._annealing_time(parameters), **pauses
        )
        if parameters["num_reads"] > max_reads:
            raise ValueError(
                f"num_reads must be at most {max_reads} in the time of one call, "
                f"got {parameters['num_reads']}"
            )

    def _annealing_time(self, parameters: Mapping[str, Any]) -> float:
        """Returns the microseconds of one anneal."""
        if schedule := parameters.get("anneal_schedule"):
            return float(schedule[-1][0])
        return float(parameters.get("annealing_time") or self.properties["default_annealing_time"])

    def _timing(self, num_qubits: int, parameters: Mapping[str, Any]) -> dict[str, float]:
        """Returns the timing of an answer, in microseconds, from D-Wave's own model."""
        known = self.properties["problem_timing_data"]
        # D-Wave's library takes a pause of 0 for the default one, so pauses are made the default.
        pauses = {name: parameters[name] for name in _PAUSES if name in parameters}
        timing = known | {f"default_{name}": time for name, time in pauses.items()}
        given = {"reinitialize_state": True, **parameters}
        num_reads = given.pop("num_reads")

        model = partial(_access_time, timing, max(num_qubits, 1))
        programming = model(0, **given)
        sampling = model(num_reads, **given) - programming
        anneal = self._annealing_time(parameters)
        plain = partial(_access_time, known, max(num_qubits, 1), annealing_time=anneal)
        pause = known["default_readout_thermalization"]
        readout = plain(1) - plain(0) - anneal - known["qpu_delay_time_per_sample"] - pause

        times = {
            "qpu_sampling_time": sampling,
            "qpu_anneal_time_per_sample": anneal,
            "qpu_readout_time_per_sample": readout,
            "qpu_access_time": programming + sampling,
            "qpu_access_overhead_time": 0.0,
            "qpu_programming_time": programming,
            "qpu_delay_time_per_sample": sampling / num_reads - anneal - readout,
            "total_post_processing_time": 0.0,
            "post_processing_overhead_time": 0.0,
        }
        return {name: round(float(time), 2) for name, time in times.items()}


def _access_time(timing: Mapping[str, Any], num_qubits: int, reads: int, **parameters: Any) -> Any:
    """Returns the access time of a call in microseconds, by D-Wave's own model."""
    chip = SimpleNamespace(properties={"problem_timing_data": timing})
    return StructuredSolver.estimate_qpu_access_time(chip, num_qubits, reads, **parameters)
