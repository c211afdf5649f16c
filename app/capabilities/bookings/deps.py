"""Who may use the booking export, and the services as routers name them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.api.auth import TenantCaller
from app.api.deps import Backoffice
from app.capabilities.bookings.preview_service import Previews
from app.capabilities.bookings.rules_service import Rules

MODULE = "accounting_export"


async def _accountant(caller: Backoffice) -> TenantCaller:
    caller.require_module(MODULE)
    return caller


async def _previews(request: Request) -> Previews:
    own = request.app.state.resources
    return Previews(own.clock, own.planner)


async def _rules(request: Request) -> Rules:
    own = request.app.state.resources
    return Rules(own.db, own.clock, own.remotes, own.reference)


Accountant = Annotated[TenantCaller, Depends(_accountant)]
RulesService = Annotated[Rules, Depends(_rules)]
PreviewService = Annotated[Previews, Depends(_previews)]
