"""The group of commands `isingprop qpu`: what a chip holds, what runs cost and buy, rehearsals."""

import typer

from isingprop.cli.qpu_commands.qpu_embed import embed
from isingprop.cli.qpu_commands.qpu_plan import plan
from isingprop.cli.qpu_commands.qpu_price import estimate
from isingprop.cli.rehearsal.rehearse import rehearse

qpu_app = typer.Typer(
    help="What a D-Wave chip holds, what a run on it costs, and a rehearsal of the run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
qpu_app.command()(embed)
qpu_app.command()(estimate)
qpu_app.command()(plan)
qpu_app.command()(rehearse)
