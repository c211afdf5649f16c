"""`/connection`: both sides of a tenant, and the doctor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, status

from app.api.deps import Backoffice, Language
from app.api.problems import problems
from app.capabilities.connection.doctor import Doctor
from app.capabilities.connection.schemas import Authorization, BexioToken, Connection, Diagnosis
from app.capabilities.connection.service import Connections
from app.capabilities.tenancy.arcavis_access import ArcavisAccess
from app.core.errors import Conflict, InvalidInput, RemoteUnavailable

router = APIRouter(prefix="/connection", tags=["connection"])


async def _connections(request: Request) -> Connections:
    own = request.app.state.resources
    return Connections(own.db, own.clock, own.vault, own.egress, own.remotes, own.linking, own.ending, own.sign_ins)


async def _doctor(request: Request) -> Doctor:
    resources = request.app.state.resources
    return Doctor(resources.db, resources.clock, resources.remotes, resources.examiners)


Service = Annotated[Connections, Depends(_connections)]


@router.get("")
async def get_connection(caller: Backoffice, connections: Service, language: Language) -> Connection:
    """Both sides: which company, since when, until when, and why a connection no longer works."""
    return await connections.get(caller.tenant, language)


@router.put("/bexio", responses=problems(InvalidInput, Conflict, RemoteUnavailable))
async def connect_bexio(token: BexioToken, caller: Backoffice, connections: Service, language: Language) -> Connection:
    """Connects bexio with a personal access token. What waited for the connection goes on."""
    await connections.connect_bexio(caller, token.personal_access_token.get_secret_value())
    return await connections.get(caller.tenant, language)


@router.post("/bexio/authorize", responses=problems(Conflict))
async def authorize_bexio(
    caller: Backoffice,
    connections: Service,
    *,
    stock: Annotated[bool, Query(description="Also ask for what the one-time import of stock reads.")] = False,
) -> Authorization:
    """Where to send the person's browser, once, within ten minutes: it signs in at bexio, chooses the company, allows.

    The browser ends at a page of ours that says how it went; `GET /connection` shows the rest.
    """
    return Authorization(authorization_url=await connections.authorize(caller, stock=stock))


@router.delete("/bexio", status_code=status.HTTP_204_NO_CONTENT)
async def disconnect_bexio(caller: Backoffice, connections: Service) -> None:
    """Forgets the token. Sales are still taken in; they wait until bexio is connected again."""
    await connections.disconnect_bexio(caller)


@router.put("/arcavis", responses=problems(InvalidInput, Conflict, RemoteUnavailable))
async def connect_arcavis(
    access: ArcavisAccess, caller: Backoffice, connections: Service, language: Language
) -> Connection:
    """Stores where Arcavis is, once it answered with this user."""
    await connections.connect_arcavis(caller, access)
    return await connections.get(caller.tenant, language)


@router.get("/check")
async def check_connection(
    caller: Backoffice, doctor: Annotated[Doctor, Depends(_doctor)], language: Language
) -> Diagnosis:
    """The doctor: everything that invoices need from both systems, looked at without a single write there."""
    return await doctor.examine(caller.tenant, language)
