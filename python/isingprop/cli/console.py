"""The output of the commands: results on stdout, one-line errors on stderr, and exit codes."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import typer

from isingprop.cli.run_folder import RunFolder
from isingprop.qpu.calls.connection import NOTHING_BILLED, QPUBudgetError
from isingprop.samplers.class_states import ClassStates
from isingprop.samplers.dwave import DWave
from isingprop.training.evaluation import Evaluation
from isingprop.training.stability import first_unstable
from isingprop.training.trainer import Trainer
from isingprop.util.messages import say

OTHER_ERROR, INTERRUPTED = 1, 130  # 130: a shell's code for SIGINT


def print_json(content: dict[str, Any]) -> None:
    """Prints one JSON object on stdout."""
    typer.echo(json.dumps(content))


def one_line(error: Exception) -> str:
    """Returns an error's message in one line, with its type if this package never raises that."""
    text = " ".join(str(error).split())
    ours = isinstance(
        error, ValueError | TypeError | OSError | MemoryError | ImportError | QPUBudgetError
    )
    return text if ours and text else f"{type(error).__name__}: {text}".removesuffix(": ")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Ends the command after an error or Ctrl-C, with one line on stderr.

    Raises:
        typer.TyperException: for an error; `main` prints it.
        typer.Exit: after Ctrl-C.
    """
    try:
        yield
    except typer.Exit:  # is a RuntimeError, which the next clause would catch
        raise
    except (ValueError, TypeError, OSError, MemoryError, RuntimeError, ImportError) as error:
        raise typer.TyperException(one_line(error)) from None
    except KeyboardInterrupt:
        say("Interrupted.")
        raise typer.Exit(INTERRUPTED) from None


def summarise(
    trainer: Trainer,
    result: Evaluation | None,
    stopped: str | None,
    folder: RunFolder,
    as_json: bool,
) -> None:
    """Prints how a run ended.

    Args:
        trainer: the trainer after its last epoch.
        result: the test after that epoch; None if the run was stopped before.
        stopped: why the run was stopped; None if it was not.
        folder: the folder of the run.
        as_json: prints one JSON object in place of lines.
    """
    if as_json:
        _print_summary_json(trainer, result, stopped, folder)
        return

    for line in _lines(trainer, result) if trainer.history else ():
        typer.echo(line)
    print_qpu_seconds(trainer, folder)

    names = ("model.safetensors", "history.csv", "training.png")
    files = [name for name in names if (folder.path / name).exists()]
    typer.echo(f"run folder      {folder.path}{': ' if files else ''}{', '.join(files)}")


def print_qpu_seconds(trainer: Trainer, folder: RunFolder) -> None:
    """Prints how much QPU access time a run has cost so far, if it uses a QPU or emulates one."""
    if (sampler := _chip(trainer)) is not None:
        estimated = sampler.calls_estimated
        note = f" ({estimated} calls by estimate, as their answers do not say it)"
        typer.echo(
            f"QPU access      {sampler.qpu_seconds:.3f} s in all{note if estimated else ''}, "
            f"for the answers in {folder.path / 'qpu'}"
            f"{'' if sampler.is_billed else f'; {NOTHING_BILLED}'}"
        )
        if wrong := sampler.energies_wrong:
            typer.echo(f"QPU energies    wrong in the answers for {wrong} reads; they are not used")


def qpu_numbers(trainer: Trainer) -> dict[str, Any]:
    """Returns what the JSON of a run holds of its QPU access time; None without a QPU."""
    sampler = _chip(trainer)
    if sampler is None:
        return {"qpu_seconds": None, "qpu_emulated": None}
    return {"qpu_seconds": sampler.qpu_seconds, "qpu_emulated": not sampler.is_billed}


def _chip(trainer: Trainer) -> DWave | None:
    """Returns the sampler of a run that calls a chip, if there is one."""
    samplers = (trainer.sampler, trainer.test_sampler)
    return next((sampler for sampler in samplers if isinstance(sampler, DWave)), None)


def test_numbers(result: Evaluation) -> dict[str, Any]:
    """Returns the numbers that the JSON of a test holds beside its accuracy."""
    return {
        "test_standard_error": result.standard_error,
        "test_unclassified": result.unclassified,
        "num_test": result.num_images,
    }


def percent(result: Evaluation) -> str:
    """Returns the accuracy in per cent, with its standard error and the number of images."""
    return f"{result.accuracy:.1%} ± {result.standard_error:.1%} ({result.num_images} images)"


def _print_summary_json(
    trainer: Trainer, result: Evaluation | None, stopped: str | None, folder: RunFolder
) -> None:
    chip = _chip(trainer)

    print_json(
        {
            "epochs": len(trainer.history),
            **(_numbers(trainer) if trainer.history else {}),
            **({} if result is None else test_numbers(result)),
            **qpu_numbers(trainer),
            "qpu_calls_estimated": None if chip is None else chip.calls_estimated,
            "qpu_energies_wrong": None if chip is None else chip.energies_wrong,
            "stopped": stopped,
            "out": str(folder.path),
            "settings": asdict(folder.settings),
        }
    )


def _lines(trainer: Trainer, result: Evaluation | None) -> Iterator[str]:
    last, (seconds, total) = trainer.history[-1], _times(trainer)
    accuracy = f"{last.test_accuracy:.1%}" if result is None else percent(result)

    yield f"test accuracy   {accuracy}; {_training_error(trainer)}"
    if (epoch := first_unstable(trainer.history)) is not None:
        yield f"unstable        in epoch {epoch}: begin a new run with a smaller --learning-rate"
    if last.wrong_cycles is not None:
        yield f"wrong cycles    {last.wrong_cycles:.2%} of those from wrong classes ended in one"
    if last.beta_effective is not None:
        yield f"effective beta  {last.beta_effective:.4g} (inf: no flip would lower the energy)"
    if last.chain_break_fraction is not None:
        yield (
            f"broken chains   {last.chain_break_fraction:.2%} of all chains of all reads in the "
            f"last epoch; {last.clipped} values clipped"
        )
    yield (
        f"time            {total:.1f} s for {last.epoch} epochs, "
        f"{seconds:.3f} s an epoch without its test"
    )


def _training_error(trainer: Trainer) -> str:
    """Returns the errors of the last epoch, and what counts as one."""
    last = trainer.history[-1]
    text = f"training error {last.train_error_lowest:.2%}"
    if not isinstance(trainer.sampler, ClassStates):
        text += f" (lowest reads), {last.train_error_reads:.2%} (all reads)"
    if trainer.margin:
        text += f" (the label must win by a margin of {trainer.margin:g})"
    return text


def _numbers(trainer: Trainer) -> dict[str, Any]:
    last, (seconds, total) = trainer.history[-1], _times(trainer)

    return {
        "train_error": last.train_error_lowest,
        "train_error_reads": last.train_error_reads,
        "first_unstable_epoch": first_unstable(trainer.history),
        "wrong_cycles": last.wrong_cycles,
        "beta_effective": json_number(last.beta_effective),
        "chain_break_fraction": last.chain_break_fraction,
        "clipped": last.clipped,
        "test_accuracy": last.test_accuracy,
        "seconds_per_epoch": seconds,
        "seconds": total,
    }


def _times(trainer: Trainer) -> tuple[float, float]:
    """Returns the seconds of an epoch (median, without its test), and those of the whole run."""
    records = trainer.history
    total = sum(record.seconds + record.seconds_testing for record in records)
    return statistics.median(record.seconds for record in records), total


def json_number(value: float | None) -> float | str | None:
    """Returns infinity and nan as text, since JSON has no such numbers."""
    return value if value is None or math.isfinite(value) else str(value)
