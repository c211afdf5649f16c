"""`/settings`: what a tenant chose."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from app.api.deps import Backoffice
from app.api.problems import problems
from app.capabilities.settings.known import Known
from app.capabilities.settings.schemas import SettingsChange
from app.capabilities.settings.service import SettingsService
from app.capabilities.tenancy.settings import TenantSettings
from app.core.errors import (
    ConnectionRefused,
    InvalidInput,
    PreconditionFailed,
    PreconditionRequired,
    RemoteUnavailable,
)

router = APIRouter(prefix="/settings", tags=["settings"])

_TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}}
}


async def _settings(request: Request) -> SettingsService:
    own = request.app.state.resources
    return SettingsService(own.db, own.clock, Known(own.remotes, own.reference), own.standing)


Service = Annotated[SettingsService, Depends(_settings)]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=200, description="The ETag that GET answered.")]


@router.get("", responses=_TAGGED)
async def get_settings(caller: Backoffice, settings: Service, response: Response) -> TenantSettings:
    """All settings, with the defaults that hold where nothing was chosen."""
    found = await settings.get(caller.tenant)
    response.headers["ETag"] = found.etag
    return found.settings


@router.patch(
    "",
    responses={
        **_TAGGED,
        **problems(PreconditionRequired, PreconditionFailed, InvalidInput, ConnectionRefused, RemoteUnavailable),
    },
)
async def change_settings(
    change: SettingsChange, caller: Backoffice, settings: Service, response: Response, if_match: IfMatch = None
) -> TenantSettings:
    """Changes some settings, all or none. What bexio or Arcavis does not have is refused with what it has."""
    found = await settings.change(caller, change, if_match)
    response.headers["ETag"] = found.etag
    return found.settings
