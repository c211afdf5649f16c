"""Arcavis' hosting API (an assumed contract): makes environments, each once by its `external_id`."""

import hmac
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.arcavis import values
from sandbox.arcavis.errors import ArcavisError, BadRequestError
from sandbox.arcavis.faults import Fault, FaultKind
from sandbox.arcavis.seed import fill_fresh
from sandbox.arcavis.tenant import Module
from sandbox.arcavis.values import Record, text
from sandbox.arcavis.world import World

NAME: Final = "hosting"
"""How faults and the count of requests call it, in the place of a tenant."""
KEY: Final = "hosting-demo-key"
_LANGUAGES: Final = frozenset({"de", "fr", "it", "en"})


def routes(world: World) -> list[Route]:
    """`POST /hosting/environments` over `world`, with the bearer key `KEY`."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        fault = world.faults.take(NAME, request.method, request.url.path)
        response = None
        if fault is not None and not fault.after_write:
            response = await _strike(world, fault)
        if response is None:
            response = _make(world, request, body)
            if fault is not None and fault.after_write:
                response = await _strike(world, fault) or response
        world.requests.count(NAME, "POST /hosting/environments", response.status_code)
        return response

    return [Route("/hosting/environments", answer, methods=["POST"])]


def _make(world: World, request: Request, body: bytes) -> Response:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), KEY.encode()):
        return _json({"error": "Unauthorized"}, 401)
    try:
        return _json(environment(world, values.parse_object(body), str(request.base_url)), 200)
    except ArcavisError as error:
        return _json({"error": error.message}, 400)


def environment(world: World, wanted: Record, base_url: str) -> Record:
    """The environment of `external_id`, made if there is none yet; the same answer each time.

    Raises:
        BadRequestError: when a field is missing or wrong.
    """
    external_id, name = text(wanted.get("external_id")), text(wanted.get("name"))
    (admin,) = values.records([wanted.get("admin")])
    if not external_id or not name or wanted.get("language") not in _LANGUAGES:
        raise BadRequestError("external_id, name and language are needed")
    if known := world.environments.get(external_id):
        return known
    modules = {Module.WEB_API} | {Module(one) for one in values.texts(wanted.get("modules", []))}
    slug = _free_slug(world, name)
    tenant = world.add_tenant(slug, "webapi", secrets.token_urlsafe(18))
    tenant.modules = modules
    fill_fresh(tenant)
    made: Record = {
        "slug": slug,
        "base_url": f"{base_url.rstrip('/')}/{slug}",
        "api_username": tenant.user.username,
        "api_password": tenant.user.password,
        "admin_username": text(admin.get("email")),
        "initial_password": secrets.token_urlsafe(12),
        "login_url": f"{base_url.rstrip('/')}/{slug}/login",
    }
    world.environments[external_id] = made
    return made


def _free_slug(world: World, name: str) -> str:
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in name.lower())
    stem = "-".join(part for part in plain.split("-") if part)[:30] or "shop"
    slug, number = stem, 2
    while slug in world.tenants:
        slug, number = f"{stem}-{number}", number + 1
    return slug


async def _strike(world: World, fault: Fault) -> Response | None:
    """What a fault answers; None when it only delays."""
    if fault.kind in {FaultKind.LATENCY, FaultKind.TIMEOUT}:
        await world.sleep(fault.seconds)
    if fault.kind is FaultKind.LATENCY:
        return None
    return _ANSWERS.get(fault.kind, _json({"error": "An error has occurred."}, 500))


def _json(content: Record, status: int) -> Response:
    return Response(values.dump(content), status, media_type="application/json")


_ANSWERS: Final = {
    FaultKind.TIMEOUT: Response("<html><body>504 Gateway Time-out</body></html>", 504, media_type="text/html"),
    FaultKind.UNAVAILABLE: Response(status_code=503),
    FaultKind.UNAUTHORIZED: _json({"error": "Unauthorized"}, 401),
    FaultKind.HTML: Response("<html><body>Wartung</body></html>", media_type="text/html"),
    FaultKind.HALF_PAGE: Response('{"slug": "mu', media_type="application/json"),
}
