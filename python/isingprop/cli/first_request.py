"""The dry run of `isingprop train`: shows the first request to the QPU and sends nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from isingprop.cli.console import print_json
from isingprop.cli.qpu_commands.chip_options import DEFAULT_CHIP
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.qpu.calls.connection import NoAccountError
from isingprop.qpu.chip.chip_file import real_chip_name
from isingprop.samplers.dwave import DWave
from isingprop.util.messages import say

if TYPE_CHECKING:
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU


def show_first_request(settings: RunSettings, folder: RunFolder | None, as_json: bool) -> None:
    """Prints the first request that the next epoch would send.

    Without a D-Wave account it is one to the chip that `isingprop qpu plan` assumes, too, or to the
    one that the settings name, as D-Wave listed it.

    Args:
        settings: the settings of the run.
        folder: the folder of the run to resume, whose answers need no request; None for a new run.
        as_json: prints the request as D-Wave's client would send it, in place of a summary.
    """
    from isingprop.samplers.dry_run import DryRun, FirstRequest, body, summary

    images = settings.load_data()
    trainer = settings.make_trainer(images)
    sampler = trainer.sampler
    if not isinstance(sampler, DWave):
        raise ValueError(
            "--dry-run must go with --sampler dwave, dwave-reverse or dwave-cyclic, "
            f"got {settings.sampler}"
        )

    if folder is not None:
        folder.keep_answers(sampler)
        if folder.checkpoint.is_file():
            trainer.restore(folder.checkpoint)
    without_account = partial(_assumed_chip, settings.qpu_solver)
    for role in ("sampler", "test_sampler", "warm_sampler"):
        if isinstance(getattr(trainer, role), DWave):
            trainer.replace_samplers(**{role: DryRun(sampler, without_account)})

    try:
        trainer.fit(images, epochs=1)
    except FirstRequest as first:
        if as_json:
            print_json(body(first))
        else:
            typer.echo("\n".join(["first request   shown, not sent", *summary(first)]))
    else:
        if as_json:
            print_json({})
        else:
            typer.echo("first request   none: all answers of the next epoch are on disk")


def _assumed_chip(solver: str | None, error: NoAccountError) -> EmulatedQPU:
    """Returns the chip that a request is shown for without an account, and says which it is."""
    from isingprop.qpu.emulator.emulated_qpu import EmulatedQPU

    if solver is not None and real_chip_name(solver) is None:
        raise error
    device = EmulatedQPU(solver or DEFAULT_CHIP)
    say(
        "isingprop: no D-Wave account is set up (dwave setup); the chip is assumed to be "
        f"{device.properties_of}, as D-Wave listed it in 2026; embedding may take a minute"
    )
    return device
