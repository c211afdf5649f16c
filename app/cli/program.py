"""The commands under one name, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from app.cli import attention, keys, services, settings_table, tenants
from app.cli.demo import demo
from app.cli.doctor import doctor
from app.cli.failures import explain
from app.cli.output import err, language


class Commands(TyperGroup):
    """Says what went wrong in one line, with the remedy; a fault of the program keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer keeps its own click private
        """Runs the chosen command."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            failure = explain(error, language())
            if failure is None:
                raise
            err().print(f"[red]error:[/red] {escape(failure.message)}", soft_wrap=True)
            raise typer.Exit(failure.exit_code) from error


program = typer.Typer(
    name="connector",
    cls=Commands,
    help="Joins Arcavis and bexio. Exit codes: 0 fine, 1 failed or something found, 2 wrong usage, 3 not there now.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PROCESSES, _PEOPLE, _TRYING = "Processes", "Operating", "Trying it out"
program.command(rich_help_panel=_PROCESSES)(services.serve)
program.command(rich_help_panel=_PROCESSES)(services.worker)
program.command(rich_help_panel=_PROCESSES)(services.migrate)
program.command(rich_help_panel=_PEOPLE)(settings_table.settings)
program.add_typer(tenants.commands, name="tenants", rich_help_panel=_PEOPLE)
program.add_typer(keys.commands, name="keys", rich_help_panel=_PEOPLE)
program.add_typer(attention.commands, name="attention", rich_help_panel=_PEOPLE)
program.command(rich_help_panel=_PEOPLE)(doctor)
program.command(rich_help_panel=_TRYING)(demo)
program.command(rich_help_panel=_TRYING)(services.sandbox)
program.command(rich_help_panel=_TRYING)(services.openapi)


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    program()
