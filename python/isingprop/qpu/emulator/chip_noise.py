"""The parameters of an emulated chip, and the errors of its fields and couplings."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as fields_of
from typing import Self

import numpy as np

from isingprop.qpu.chip.energy_scales import EnergyScales
from isingprop.util.checks import Doubles, real_number, seed_number

#: Default sweeps per microsecond of each model.
SWEEPS_PER_US = {"svmc-tf": 15.0, "classical": 5.0}
_BETA = 6.0  # of the classical model
_FIELDS, _COUPLINGS = 1, 2  # random streams of fixed errors, beside the seed


@dataclass(frozen=True)
class Noise:
    """The parameters of an emulated chip, whose meaning EmulatedQPU gives.

    Its repr is part of records and of random streams: another text would make them others.
    """

    flip_rate: float
    beta: float | None
    sweeps_per_us: float
    seed: int
    field_noise: float = 0.0
    coupling_noise: float = 0.0
    jitter: float = 0.0
    model: str = "classical"
    temperature: float | None = None

    @classmethod
    def of(
        cls,
        topology: str,
        *,
        model: str,
        flip_rate: float,
        temperature: float | None,
        beta: float | None,
        sweeps_per_us: float | None,
        field_noise: float,
        coupling_noise: float,
        jitter: float,
        seed: int | None,
    ) -> Self:
        """Returns the checked parameters of a chip of a topology, with defaults for None."""
        if not isinstance(model, str) or model not in SWEEPS_PER_US:
            raise ValueError(f"model must be one of {', '.join(SWEEPS_PER_US)}, got {model!r}")
        if real_number("flip_rate", flip_rate, least=0) > 1:
            raise ValueError(f"flip_rate must be at most 1, got {flip_rate}")

        if model == "classical":
            if temperature is not None:
                raise ValueError(
                    "temperature must be None for model='classical', which has beta, "
                    f"got {temperature}"
                )
            beta = real_number("beta", _BETA if beta is None else beta, above=0)
        else:
            if beta is not None:
                raise ValueError(
                    f"beta must be None for model={model!r}, which has a temperature, got {beta}"
                )
            if temperature is None:
                temperature = EnergyScales.of(topology).temperature
            temperature = real_number("temperature", temperature, above=0)

        if sweeps_per_us is None:
            sweeps_per_us = SWEEPS_PER_US[model]
        return cls(
            float(flip_rate),
            beta,
            real_number("sweeps_per_us", sweeps_per_us, above=0),
            seed_number(seed),
            real_number("field_noise", field_noise, least=0),
            real_number("coupling_noise", coupling_noise, least=0),
            real_number("jitter", jitter, least=0),
            model,
            temperature,
        )

    def __repr__(self) -> str:
        """Returns all parameters but those that are None or have their default."""
        values = {field.name: getattr(self, field.name) for field in fields_of(self)}
        defaults = {field.name: field.default for field in fields_of(self)}
        told = [
            f"{name}={value!r}"
            for name, value in values.items()
            if value is not None and value != defaults[name]
        ]
        return f"Noise({', '.join(told)})"

    def fields_of_qubits(self, num_qubits: int) -> Doubles:
        """Returns the field that each qubit of a chip has by itself, (num_qubits,)."""
        random = np.random.default_rng([self.seed, _FIELDS])
        return self.field_noise * random.standard_normal(num_qubits)

    def errors_of_couplers(self, num_couplers: int) -> Doubles:
        """Returns the error that each working coupler of a chip has in all calls."""
        random = np.random.default_rng([self.seed, _COUPLINGS])
        return self.coupling_noise * random.standard_normal(num_couplers)
