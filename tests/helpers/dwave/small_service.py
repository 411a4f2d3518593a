"""A local service with one small chip and a token that tests know."""

from typing import Any

from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU
from isingprop.qpu.local_service.service import LocalService

TOKEN = "SECRET-TOKEN-0123456789abcdef"
NAME = "Advantage_fake1"


class SmallService(LocalService):
    """A Z2 if no chips are given."""

    def __init__(self, chips: dict[str, EmulatedQPU] | None = None, **options: Any) -> None:
        super().__init__(chips or {NAME: EmulatedQPU("zephyr", 2)}, **options)
        self.token = TOKEN

    def forget(self) -> None:
        """Drops all actions that are still planned."""
        self._actions.clear()
