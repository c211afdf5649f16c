"""`/provision`: a company activates Arcavis in bexio Apps, and watches its shop being made.

The id of an activation is its ticket: 80 random bits that only the marketplace and the browser were given. What it
opens shows no person, no secret and nothing to decide; operators read it in the same way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from app.api import failures, pages
from app.api.deps import Language, Now, Waiting
from app.api.problems import problems
from app.capabilities.provisioning import page
from app.capabilities.provisioning.arrival import intent
from app.capabilities.provisioning.intake import Intake
from app.capabilities.provisioning.retrying import retry
from app.capabilities.provisioning.schemas import Accepted, Activation, Provision, activation_schema
from app.capabilities.provisioning.signature import Signatures
from app.capabilities.provisioning.views import Progress
from app.capabilities.sign_in.records import LIFE
from app.capabilities.sign_in.service import SignIns
from app.core.errors import Conflict, InvalidInput, NotFound, RemoteUnavailable, Unauthenticated

EVENT_STREAM = "text/event-stream"
RECONNECT_MILLISECONDS = 2000

router = APIRouter(prefix="/provision", tags=["provisioning"])

_HEADER: dict[str, Any] = {"in": "header", "required": True, "schema": {"type": "string"}}
_SIGNED: dict[str, Any] = {
    "security": [],
    "parameters": [
        {**_HEADER, "name": "webhook-id", "description": "Names this webhook; a repeat carries the same one."},
        {**_HEADER, "name": "webhook-timestamp", "description": "Seconds since 1970; at most five minutes off."},
        {**_HEADER, "name": "webhook-signature", "description": "`v1,<base64>`, several separated by blanks."},
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": activation_schema()}},
    },
}


async def _intake(request: Request) -> Intake:
    return request.app.state.resources.intake


async def _progress(request: Request) -> Progress:
    resources = request.app.state.resources
    return Progress(resources.db, resources.clock)


async def _sign_ins(request: Request) -> SignIns:
    return request.app.state.resources.sign_ins


Service = Annotated[Intake, Depends(_intake)]
Look = Annotated[Progress, Depends(_progress)]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(Unauthenticated, InvalidInput, Conflict, RemoteUnavailable),
    openapi_extra=_SIGNED,
)
async def provision(request: Request, response: Response, intake: Service, clock: Now) -> Accepted:
    """A company activated Arcavis; signed by the Standard Webhooks scheme. A repeat is answered as the first one."""
    body = await request.body()
    signatures: Signatures = request.app.state.resources.marketplace
    webhook = signatures.verify(request.headers, body, clock.now())
    try:
        given = Activation.model_validate_json(body)
    except ValidationError as error:
        found = [failures.field_error(one) for one in error.errors(include_url=False, include_input=False)]
        raise InvalidInput("invalid-input", found) from error
    made = await intake.webhook(webhook, given)
    response.headers["Location"] = f"/provision/{made}"
    return Accepted(provision_id=made)


@router.get(
    "/start",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=Response,
    dependencies=[Depends(pages.page)],
    responses={303: {"description": "To bexio's sign-in."}, **problems(Conflict, RemoteUnavailable)},
)
async def start_provisioning(request: Request, sign_ins: Annotated[SignIns, Depends(_sign_ins)]) -> Response:
    """The start link of bexio Apps, for a browser: sign in, choose the company, watch. Parameters are ignored."""
    begun = await sign_ins.begin_uninvited(intent(pages.language_of(request.scope)))
    return Response(
        status_code=status.HTTP_303_SEE_OTHER,
        headers={"Location": begun.url, "Set-Cookie": begun.cookie.set(int(LIFE.total_seconds()))},
    )


@router.get(
    "/{provision_id}",
    dependencies=[Depends(pages.page)],
    response_model=Provision,
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}, "example": "<!DOCTYPE html>…"}}},
        **problems(NotFound),
    },
)
async def get_provision(provision_id: UUID, request: Request, progress: Look, language: Language) -> Response:
    """How far the new shop is: JSON for programs, a page for browsers."""
    if pages.wants_page(request.scope):
        language = pages.language_of(request.scope)
        return page.shown(request.scope, await progress.read(provision_id, language))
    found = await progress.read(provision_id, language)
    headers = {"Vary": "Accept, Accept-Language"}
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


@router.get(
    "/{provision_id}/events",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events `provision`, each with the whole state as JSON.",
            "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": "event: provision\ndata: {…}\n\n"}},
        },
        **problems(NotFound),
    },
)
async def watch_provision(provision_id: UUID, progress: Look, settled: Waiting, language: Language) -> Response:
    """It as it is now and after each change, until it is over; ten minutes at most, then come back."""
    await progress.read(provision_id, language)

    async def events() -> AsyncGenerator[bytes]:
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n".encode()
        subject = await progress.tenant_of(provision_id) or provision_id
        async with settled.watch(subject) as signal:
            async for seen in progress.watch(provision_id, language, signal.wait):
                yield b": still here\n\n" if seen is None else _event(seen)

    return StreamingResponse(events(), media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


@router.post(
    "/{provision_id}/retry",
    status_code=status.HTTP_303_SEE_OTHER,
    response_class=Response,
    dependencies=[Depends(pages.page)],
    responses={303: {"description": "To the page that shows how far it is."}, **problems(NotFound, Conflict)},
)
async def retry_provision(provision_id: UUID, progress: Look) -> Response:
    """Goes on with what waits for a person, once its cause is mended; does nothing when nothing waits."""
    await retry(progress, provision_id)
    return Response(status_code=status.HTTP_303_SEE_OTHER, headers={"Location": f"/provision/{provision_id}"})


def _event(seen: Provision) -> bytes:
    return f"event: provision\ndata: {seen.model_dump_json()}\n\n".encode()
