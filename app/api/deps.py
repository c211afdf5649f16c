"""What routers ask for, declared once: the database, the clock, the caller, the page, the wait.

A router names the types; the objects come from the app's state, where `app.api.assembly` put them.
"""

from __future__ import annotations

from typing import Annotated, Generic, Protocol, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from app.api import idempotency
from app.api.auth import Authenticator, Caller, Role, TenantCaller, bearer
from app.api.language import negotiate
from app.api.pagination import Paging, paging
from app.api.waiting import LONGEST_WAIT, Settled, parse_wait
from app.core.catalogue import FALLBACK
from app.core.clock import Clock
from app.core.errors import Forbidden
from app.core.metrics import Metrics
from app.db.session import Database


class Resources(Protocol):
    """What the HTTP machinery needs of the objects that bootstrap builds."""

    @property
    def db(self) -> Database:
        """As the runtime role."""
        ...

    @property
    def clock(self) -> Clock:
        """The one clock."""
        ...

    @property
    def metrics(self) -> Metrics:
        """This process's figures."""
        ...

    @property
    def operator_key_hash(self) -> bytes | None:
        """`app.api.auth.hash_key` of the operator key from the settings."""
        ...


Known = TypeVar("Known", bound=Caller)


class KeyCheck(SecurityBase, Generic[Known]):
    """A dependency that admits callers of some roles; the OpenAPI document shows it as the key's scheme.

    `recalled` callers may be up to a minute old: only for a route whose own statement checks the key's hash again.
    """

    def __init__(self, kind: type[Known], *roles: Role, recalled: bool = False) -> None:
        self.scheme_name = "ApiKey"
        self.model = HTTPBearer(bearerFormat="abx_<role>_<secret>", description="An API key with the right role.")
        self._kind = kind
        self._roles = frozenset(roles)
        self._recalled = recalled

    async def __call__(self, request: Request) -> Known:
        """The caller behind the request's key.

        Raises:
            Unauthenticated: there is no key, or it is not valid (any more).
            Forbidden: the key has another role.
        """
        authenticator: Authenticator = request.app.state.authenticator
        check = authenticator.recall if self._recalled else authenticator.verify
        caller = await check(bearer(request.scope))
        request.scope["connector.caller"] = caller
        if caller.role not in self._roles or not isinstance(caller, self._kind):
            raise Forbidden("role-forbidden", role=caller.role.value)
        return caller

    async def again(self, request: Request) -> Known:
        """The same as the database knows the key now, after a statement said that memory is stale."""
        authenticator: Authenticator = request.app.state.authenticator
        if (key_hash := bearer(request.scope)) is not None:
            authenticator.forget(key_hash)
        return await self(request)


_PREFER = f"`wait=N`: wait up to N seconds for the result, at most {LONGEST_WAIT}."
# For a route that reads the header by itself.
PREFER_DOCUMENTED = {
    "parameters": [
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "title": "Prefer"},
            "description": _PREFER,
        }
    ]
}


async def _db(request: Request) -> Database:
    return request.app.state.resources.db


async def _clock(request: Request) -> Clock:
    return request.app.state.resources.clock


async def _settled(request: Request) -> Settled:
    return request.app.state.settled


def language_of(request: Request) -> str:
    """The language to answer in; without `Accept-Language` the one of the caller's tenant."""
    caller = request.scope.get("connector.caller")
    return negotiate(request.scope, caller.language if isinstance(caller, TenantCaller) else FALLBACK)


async def _language(request: Request) -> str:
    return language_of(request)


def apply_wait(request: Request, response: Response) -> int:
    """The seconds that the caller prefers to wait, at most `LONGEST_WAIT`, told in the answer; 0 without a wish."""
    seconds = parse_wait(request.headers.getlist("prefer"))
    if seconds is None:
        return 0
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return seconds


async def _wait(
    request: Request,
    response: Response,
    prefer: Annotated[str, Header(alias="Prefer", description=_PREFER)] = "",  # noqa: ARG001 - documented
) -> int:
    return apply_wait(request, response)


async def _idempotency_key(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A repeat with the same key and body gets the first answer again, for seven days.",
        ),
    ] = None,
) -> None:
    if idempotency_key is not None:
        await idempotency.claim(request, idempotency_key)


Db = Annotated[Database, Depends(_db)]
Now = Annotated[Clock, Depends(_clock)]
# Put it after the caller: without `Accept-Language` the tenant's own language holds.
Language = Annotated[str, Depends(_language)]
Waiting = Annotated[Settled, Depends(_settled)]
PageParams = Annotated[Paging, Depends(paging)]

Pos = Annotated[TenantCaller, Depends(KeyCheck(TenantCaller, Role.POS, Role.BACKOFFICE))]
Backoffice = Annotated[TenantCaller, Depends(KeyCheck(TenantCaller, Role.BACKOFFICE))]
Operator = Annotated[Caller, Depends(KeyCheck(Caller, Role.OPERATOR))]

# Seconds to wait, 0 without `Prefer: wait=N`.
PreferWait = Annotated[int, Depends(_wait)]

# Put it after the caller in the signature of a POST that starts work; its value is of no use.
IdempotencyKey = Annotated[None, Depends(_idempotency_key)]
