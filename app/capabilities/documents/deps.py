"""The documents service as routers name it, and everything that taking in a sale needs of its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security.base import SecurityBase

from app.api.auth import Role, TenantCaller
from app.api.deps import KeyCheck, apply_wait, language_of
from app.api.waiting import Settled
from app.capabilities.documents.service import Documents


async def _documents(request: Request) -> Documents:
    return request.app.state.resources.documents


Service = Annotated[Documents, Depends(_documents)]


@dataclass(frozen=True, slots=True)
class Intake:
    """Who hands a sale in, and how it is to be answered. `wait` in seconds."""

    request: Request
    response: Response
    admission: Admission
    caller: TenantCaller
    service: Documents
    settled: Settled
    wait: int
    language: str

    async def verify_again(self) -> TenantCaller:
        """The caller as the database knows the key now, after the statement said that memory is stale.

        Raises:
            Unauthenticated: the key was revoked.
        """
        return await self.admission.again(self.request)


class Admission(SecurityBase):
    """One dependency for all of it: FastAPI takes 25 us to solve each one, seven would be a third of a sale's time.

    The caller may be known from memory: the statement that accepts the sale checks the key's hash again.
    """

    def __init__(self, *roles: Role, module: str | None = None) -> None:
        self._check = KeyCheck(TenantCaller, *roles, recalled=True)
        self._module = module
        self.scheme_name, self.model = self._check.scheme_name, self._check.model

    async def again(self, request: Request) -> TenantCaller:
        """The caller as the database knows the key now; see `KeyCheck`."""
        return self._with_module(await self._check.again(request))

    async def __call__(self, request: Request, response: Response) -> Intake:
        """Admits the request; see `KeyCheck`."""
        caller = self._with_module(await self._check(request))
        state = request.app.state
        return Intake(
            request=request,
            response=response,
            admission=self,
            caller=caller,
            service=state.resources.documents,
            settled=state.settled,
            wait=apply_wait(request, response),
            language=language_of(request),
        )

    def _with_module(self, caller: TenantCaller) -> TenantCaller:
        if self._module is not None:
            caller.require_module(self._module)
        return caller
