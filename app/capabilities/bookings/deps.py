"""Who may use the booking export, and the services as routers name them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.api.auth import TenantCaller
from app.api.deps import Backoffice
from app.capabilities.bookings.entry_service import EntryService
from app.capabilities.bookings.exports import MODULE
from app.capabilities.bookings.journal_service import Journals
from app.capabilities.bookings.preview_service import Previews
from app.capabilities.bookings.reconciliation import Reconciliation
from app.capabilities.bookings.rules_service import Rules


async def _accountant(caller: Backoffice) -> TenantCaller:
    caller.require_module(MODULE)
    return caller


async def _previews(request: Request) -> Previews:
    own = request.app.state.resources
    return Previews(own.clock, own.planner)


async def _journals(request: Request) -> Journals:
    own = request.app.state.resources
    return Journals(own.db, own.clock, own.remotes, own.reference)


async def _rules(request: Request) -> Rules:
    own = request.app.state.resources
    return Rules(own.db, own.clock, own.remotes, own.reference)


async def _entries(request: Request) -> EntryService:
    own = request.app.state.resources
    return EntryService(own.db, own.clock, own.remotes)


async def _reconciliation(request: Request) -> Reconciliation:
    own = request.app.state.resources
    return Reconciliation(own.db, own.clock, own.planner)


Accountant = Annotated[TenantCaller, Depends(_accountant)]
RulesService = Annotated[Rules, Depends(_rules)]
PreviewService = Annotated[Previews, Depends(_previews)]
Entries = Annotated[EntryService, Depends(_entries)]
Reconciling = Annotated[Reconciliation, Depends(_reconciliation)]
JournalService = Annotated[Journals, Depends(_journals)]
