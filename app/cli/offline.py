"""The HTTP application without anything behind it, for its OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI

from app import bootstrap
from app.connectors.clients import HttpClients
from app.connectors.egress import Egress, network
from app.core.clock import SystemClock
from app.core.vault import generate_key
from app.db.session import Database
from app.settings import Settings

_NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"


def application() -> FastAPI:
    """The application as `serve` builds it; it never connects."""
    settings = Settings.model_validate({"database_url": _NOWHERE, "encryption_keys": generate_key("document")})
    egress = Egress(allow_private=False)
    clients = HttpClients(network(egress))
    return bootstrap.application(bootstrap.build(settings, Database(_NOWHERE), SystemClock(), egress, clients))
