"""The group of commands `isingprop qpu`: what a chip holds, what runs cost and buy, rehearsals."""

import typer

from isingprop.cli.qpu_commands.qpu_embed import embed
from isingprop.cli.qpu_commands.qpu_plan import plan
from isingprop.cli.qpu_commands.qpu_price import estimate
from isingprop.cli.rehearsal.rehearse import rehearse
from isingprop.cli.shell.shell_commands import ShellCommand, ShellGroup

qpu_app = typer.Typer(
    cls=ShellGroup,
    help="Embed, price, plan and rehearse runs on D-Wave chips.",
    rich_markup_mode=None,
)
for command in (embed, estimate, plan, rehearse):
    qpu_app.command(cls=ShellCommand)(command)
