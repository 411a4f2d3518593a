"""A dry run: finds the first request of a run and shows it, without sending anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from isingprop.qpu.calls.call_data import PreparedCall
from isingprop.qpu.calls.connection import NOTHING_BILLED, NoAccountError, is_stand_in
from isingprop.samplers.protocol import BaseSampler
from isingprop.samplers.replay import Replay

if TYPE_CHECKING:
    from isingprop.problem import IsingProblem
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
    from isingprop.samplers.dwave import DWave
    from isingprop.states import States
    from isingprop.util.checks import Spins


class FirstRequest(Exception):  # noqa: N818 (no error: it carries the request)
    """A run has made its first request, which `programmed` holds."""

    def __init__(self, programmed: PreparedCall, device: Any) -> None:
        """Takes the call that would be sent, and the device."""
        super().__init__(programmed.call.label)
        self.programmed = programmed
        self.device = device


class DryRun(BaseSampler):
    """Replaces a DWave sampler, and stops at the first request without a recorded answer.

    Args:
        sampler: the sampler; its record is opened where there is one.
        without_account: returns the emulated chip that stands in for the sampler's own solver where
            no account is set up; None raises the error that says so.
    """

    def __init__(
        self,
        sampler: DWave,
        without_account: Callable[[NoAccountError], EmulatedQPU] | None = None,
    ) -> None:
        """Opens the sampler's record where there is one."""
        self._sampler = sampler
        self._without_account = without_account
        has_record = (sampler.record / "settings.json").is_file()
        self._replay = Replay(sampler.record) if has_record else None

    @property
    def takes_initial(self) -> bool:
        """Whether the DWave sampler takes start states."""
        return self._sampler.takes_initial

    def settings(self) -> dict[str, Any]:
        """Returns the settings of the DWave sampler."""
        return self._sampler.settings()

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Returns the recorded states.

        Raises:
            FirstRequest: where an answer is not recorded.
        """
        if self._replay is not None and self._replay.has(problem, num_reads, seed, initial):
            return self._replay.sample(problem, num_reads, seed, initial)
        sampler = self._on_a_chip()
        request = sampler.first_request(problem, num_reads, seed, initial)
        raise FirstRequest(request, sampler.device)

    def _on_a_chip(self) -> DWave:
        """Returns the sampler, or one like it on the chip that stands in for its own."""
        try:
            self._sampler.device  # noqa: B018 (opens it)
        except NoAccountError as error:
            if self._without_account is None:
                raise
            settings = self._sampler.get_params() | {"solver": self._without_account(error)}
            return type(self._sampler)(**settings)
        return self._sampler


def body(first: FirstRequest) -> dict[str, Any]:
    """Returns what would be sent, encoded as by D-Wave's client.

    For a stand-in, which has no solver, h and J are not encoded.
    """
    programmed, call = first.programmed, first.programmed.call
    parameters = call.solver_parameters()
    if (solver := getattr(first.device, "solver", None)) is None:
        h = {str(qubit): value for qubit, value in programmed.h.items()}
        j = {f"{u} {v}": value for (u, v), value in programmed.j.items()}
        return {
            "solver": call.notes["solver"],
            "h": h,
            "J": j,
            "params": parameters,
            "label": call.label,
        }

    from dwave.cloud.coders import encode_problem_as_qp

    parameters = solver.reformat_parameters("ising", parameters, solver.properties)
    data = encode_problem_as_qp(solver, programmed.h, programmed.j)
    identity = solver.identity.dict()
    return {
        "solver": identity,
        "data": data,
        "type": "ising",
        "params": parameters,
        "label": call.label,
    }


def summary(first: FirstRequest) -> list[str]:
    """Returns a description of what would be sent, in a few lines."""
    programmed = first.programmed
    call, h, j = programmed.call, programmed.h.values(), programmed.j.values()
    notes = call.notes
    parameters = ", ".join(f"{name} = {value}" for name, value in call.parameters.items())
    if call.initial_state.size:
        parameters += f", initial_state of {call.initial_state.size} qubits"
    note = f" ({NOTHING_BILLED})" if is_stand_in(first.device) else ""

    return [
        f"solver          {notes['solver']}, graph {notes['graph_id']}",
        f"problem         {len(h)} qubits and {len(j)} couplers, "
        f"{len(call.tiles)} copies of the network in use",
        f"h               {min(h):.4g} to {max(h):.4g}; J {min(j):.4g} to {max(j):.4g}; "
        f"{notes['clipped']} clipped",
        f"scale           {notes['scale']:.4g}; "
        f"chain strength {notes['chain_strength']:.4g} in the network's units",
        f"parameters      {parameters}",
        f"cost            {1000 * notes['estimated_seconds']:.1f} ms of QPU access time{note}",
    ]
