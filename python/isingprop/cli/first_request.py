"""The dry run of `isingprop train`: shows the first request to the QPU and sends nothing."""

from __future__ import annotations

import typer

from isingprop.cli.console import print_json
from isingprop.cli.run_folder import RunFolder
from isingprop.cli.run_settings import RunSettings
from isingprop.samplers.dwave import DWave


def show_first_request(settings: RunSettings, folder: RunFolder | None, as_json: bool) -> None:
    """Prints the first request that the next epoch would send.

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
    for role in ("sampler", "test_sampler", "warm_sampler"):
        if isinstance(getattr(trainer, role), DWave):
            trainer.replace_samplers(**{role: DryRun(sampler)})

    try:
        trainer.fit(images, epochs=1)
    except FirstRequest as first:
        if as_json:
            print_json(body(first.programmed, sampler.device))
        else:
            typer.echo("\n".join(["first request   shown, not sent", *summary(first.programmed)]))
    else:
        if as_json:
            print_json({})
        else:
            typer.echo("first request   none: all answers of the next epoch are on disk")
