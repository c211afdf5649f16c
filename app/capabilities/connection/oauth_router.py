"""`/oauth/bexio`: where a person's browser leaves for bexio, and where it comes back to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, status
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.api import pages
from app.api.problems import problems
from app.capabilities.sign_in.arrivals import Arrival
from app.capabilities.sign_in.records import LIFE
from app.capabilities.sign_in.service import SignIns
from app.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RemoteUnavailable

router = APIRouter(prefix="/oauth/bexio", tags=["connection"], dependencies=[Depends(pages.page)])

_PAGE: dict[int | str, dict[str, Any]] = {
    status.HTTP_200_OK: {
        "description": "A page in the person's language.",
        "content": {"text/html": {"example": '<!DOCTYPE html>\n<html lang="de">…</html>'}},
    }
}
_AWAY: dict[int | str, dict[str, Any]] = {status.HTTP_303_SEE_OTHER: {"description": "On to bexio."}}


async def _sign_ins(request: Request) -> SignIns:
    return request.app.state.resources.sign_ins


async def _arrivals(request: Request) -> Mapping[str, Arrival]:
    return request.app.state.resources.arrivals


Service = Annotated[SignIns, Depends(_sign_ins)]


@router.get(
    "/begin",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=RedirectResponse,
    responses=_AWAY | problems(NotFound, Conflict, RemoteUnavailable),
)
async def begin_bexio_sign_in(
    sign_ins: Service, ticket: Annotated[str, Query(description="From the authorization URL.")] = ""
) -> Response:
    """Sends a browser to bexio; only this browser can come back (a cookie)."""
    begun = await sign_ins.begin(ticket)
    response = RedirectResponse(begun.url, status.HTTP_303_SEE_OTHER)
    response.headers.append("Set-Cookie", begun.cookie.set(int(LIFE.total_seconds())))
    return response


@router.get(
    "/callback",
    response_class=HTMLResponse,
    responses=_PAGE | problems(InvalidInput, NotFound, Conflict, Forbidden, RemoteUnavailable),
)
async def finish_bexio_sign_in(
    request: Request, sign_ins: Service, arrivals: Annotated[Mapping[str, Arrival], Depends(_arrivals)]
) -> Response:
    """Where bexio sends the browser back to, with `code` or `error`, `state` and `iss`. Answers with a page."""
    given = request.query_params
    query = dict(given)
    if len(query) != len(given.multi_items()):
        raise InvalidInput("sign-in-failed", reason="repeated")
    if (purpose := await sign_ins.purpose_of(query)) is not None:
        pages.begin_again(request.scope, arrivals[purpose].again)
    sign_in, grant = await sign_ins.arrive(query, request.cookies)
    pages.speak(request.scope, str(sign_in.intent.detail.get("language", "")))
    response = await arrivals[sign_in.intent.purpose].arrived(request.scope, sign_in, grant)
    response.headers.append("Set-Cookie", sign_ins.cookie_of(query).clear())
    return response
