"""The group of commands `isingprop qpu`: what a D-Wave chip holds, and what runs on it cost."""

import typer

from isingprop.cli.qpu_commands.qpu_embed import embed
from isingprop.cli.qpu_commands.qpu_plan import plan
from isingprop.cli.qpu_commands.qpu_price import estimate

qpu_app = typer.Typer(
    help="What a D-Wave chip holds, and what a run on it costs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
qpu_app.command()(embed)
qpu_app.command()(estimate)
qpu_app.command()(plan)
