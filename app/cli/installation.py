"""This installation as commands see it: its settings, and everything that is built from them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from app.cli.failures import CommandFailed, Exit
from app.core import log
from app.core.vault import Vault
from app.settings import Settings

if TYPE_CHECKING:
    from app.bootstrap import Resources

# How the audit trail names whoever may use this command line.
OPERATOR = "operator"


def read_settings() -> Settings:
    """The settings, checked as far as it goes without a database.

    Raises:
        ValidationError: a variable is wrong.
        CommandFailed: the encryption keys are.
    """
    settings = Settings.model_validate({})
    if settings.encryption_keys is not None:
        try:
            Vault(settings.encryption_keys.get_secret_value())
        except ValueError as error:
            told = f"CONNECTOR_ENCRYPTION_KEYS: {error} `connector keys generate` makes one."
            raise CommandFailed(told, Exit.USAGE) from None
    elif settings.database_url is not None:
        told = "CONNECTOR_ENCRYPTION_KEYS is missing; make a key with `connector keys generate`."
        raise CommandFailed(told, Exit.USAGE)
    return settings


def log_to_stderr(level: str, *, json: bool) -> None:
    """Standard output belongs to data."""
    log.configure(level, json=json, stream=sys.stderr.buffer)


@asynccontextmanager
async def opened() -> AsyncGenerator[Resources]:
    """Everything that is built from the settings, on a database whose schema was checked."""
    from app import bootstrap
    from app.api.health import check_schema

    settings = read_settings()
    log_to_stderr("WARNING", json=False)
    async with bootstrap.open_resources(settings) as resources:
        await check_schema(resources.db)
        yield resources
