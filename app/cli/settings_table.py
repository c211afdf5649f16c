"""`connector settings`: every CONNECTOR_* variable with its meaning and what it is now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, get_args

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.cli.output import Json, err, language, show_json, show_line, show_table
from app.settings import Settings

MASK = "********"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. `value` and `default` are texts, None where there is none; a secret's value is masked."""

    name: str
    meaning: str
    value: str | None
    default: str | None
    is_set: bool
    is_secret: bool


def variables(environment: Mapping[str, str]) -> list[Variable]:
    """Every variable, in the order of `Settings`, with its raw value in this environment."""
    given = {name.upper(): value for name, value in environment.items()}
    return [_variable(f"CONNECTOR_{name.upper()}", field, given) for name, field in Settings.model_fields.items()]


def _variable(name: str, field: FieldInfo, given: Mapping[str, str]) -> Variable:
    is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
    value, default = given.get(name) or None, _text(field.default)
    shown = MASK if is_secret and value else value
    return Variable(name, field.description or "", shown or default, default, value is not None, is_secret)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def markdown() -> str:
    """The table of the README."""
    lines = ["| variable | meaning | default |", "| --- | --- | --- |"]
    for one in variables({}):
        default = "*secret*" if one.is_secret else "" if one.default is None else f"`{one.default}`"
        lines.append(f"| `{one.name}` | {one.meaning} | {default} |")
    return "\n".join(lines)


def settings(
    *,
    as_json: Json = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of the README.")] = False,
) -> None:
    """List every setting with its meaning and value. Secrets are masked."""
    listed = variables(os.environ)
    if as_markdown:
        show_line(markdown())
    elif as_json:
        show_json([asdict(one) for one in listed])
    else:
        rows = [(one.name, "" if one.value is None else one.value, _origin(one), one.meaning) for one in listed]
        show_table("Settings", ("variable", "value", "from", "meaning"), rows, "")
    _warn()


def _origin(variable: Variable) -> str:
    return "environment" if variable.is_set else "default" if variable.default is not None else "not set"


def _warn() -> None:
    """Says what is wrong, without making the list fail: it is what one looks at to mend it."""
    from pydantic import ValidationError

    from app.cli.failures import CommandFailed, explain
    from app.cli.installation import read_settings

    try:
        read_settings()
    except (ValidationError, CommandFailed) as error:
        failure = explain(error, language())
        if failure is not None:
            err().print(f"[yellow]warning:[/yellow] {failure.message}")
