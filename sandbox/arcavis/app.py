"""The simulated Arcavis over HTTP: `/{tenant}/api/...` for clients, `/_sandbox/...` for tests and people."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.arcavis import control, hosting, values
from sandbox.arcavis.errors import ArcavisError, NotLicensedError, UnauthorizedError, UnknownRecordError
from sandbox.arcavis.faults import Fault, FaultKind
from sandbox.arcavis.listing import Answer, Call, refusal
from sandbox.arcavis.routes import MODULE_OF, handler_for
from sandbox.arcavis.tenant import Module, Tenant
from sandbox.arcavis.world import World

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
_METHODS: Final = ["GET", "POST", "PUT", "DELETE"]
_ALTERS_CALL: Final = frozenset({FaultKind.REPLAY, FaultKind.REPEATED_ROW})
_PROXY_PAGE: Final = (
    "<!doctype html><html><head><title>Wartung</title></head><body>Arcavis wird gewartet.</body></html>"
)


def create_app(world: World, more_routes: Sequence[Route] = ()) -> ASGIApp:
    """The simulator as an ASGI app over `world`. A client's base URL is `http://host:port/{tenant}`.

    `more_routes` are further control routes (`sandbox.sales.sales_routes`).
    """
    api = Api(world)
    return Starlette(
        routes=[
            *control.routes(world),
            *hosting.routes(world),
            *more_routes,
            Route("/{tenant}/api/{resource}", api.answer, methods=_METHODS),
            Route("/{tenant}/api/{resource}/{record_id}", api.answer, methods=_METHODS),
        ],
        max_body_size=MAX_BODY_BYTES,
    )


_REFUSALS = {FaultKind.ERROR: ("An error has occurred.", 500), FaultKind.CONFLICT: ("Conflict", 409)}


class Api:
    """Answers the calls of clients: fault, then credentials, then licence, then the resource."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        """Answer one call and count it."""
        slug, resource = request.path_params["tenant"], request.path_params["resource"]
        body = await request.body()
        fault = self._world.faults.take(slug, request.method, request.url.path, body)
        early = fault is not None and not fault.after_write and fault.kind not in _ALTERS_CALL
        if fault is not None and early and (struck := await self._strike(fault, None)) is not None:
            response = struck
        else:
            response = self._work(request, body, fault)
            if fault is not None and not early:
                response = await self._strike(fault, response) or response
        route = f"{request.method} /api/{resource}" + ("/{id}" if "record_id" in request.path_params else "")
        self._world.requests.count(slug, route, response.status_code)
        if fault is not None and fault.kind is FaultKind.HALF_PAGE:
            half = bytes(response.body)[: len(response.body) // 2]
            return Response(half, response.status_code, media_type="application/json")
        return response

    def _work(self, request: Request, body: bytes, fault: Fault | None) -> Response:
        tenant = self._world.tenants.get(request.path_params["tenant"])
        if tenant is None:
            return Response("<html><body>404</body></html>", 404, media_type="text/html")
        try:
            _authorize(tenant, request)
            return _json(_handle(tenant, request, body, fault).envelope())
        except UnauthorizedError as error:
            return _json(refusal(error.message), error.status, {"WWW-Authenticate": 'Basic realm="Arcavis"'})
        except UnknownRecordError as error:
            return _json(refusal(error.message), tenant.missing_status)
        except ArcavisError as error:
            return _json(refusal(error.message), error.status)

    async def _strike(self, fault: Fault, done: Response | None) -> Response | None:
        """What a fault answers; None when it only delays or changes what the work answers."""
        if fault.kind in {FaultKind.LATENCY, FaultKind.TIMEOUT}:
            await self._world.sleep(fault.seconds)
        match fault.kind:
            case FaultKind.TIMEOUT:
                return Response("<html><body>504 Gateway Time-out</body></html>", 504, media_type="text/html")
            case FaultKind.ERROR | FaultKind.CONFLICT:
                message, status = _REFUSALS[fault.kind]
                return _json(refusal(message), status)
            case FaultKind.UNAVAILABLE:
                return Response(status_code=503)
            case FaultKind.UNAUTHORIZED:
                return _json(refusal("Unauthorized"), 401)
            case FaultKind.HTML:
                return Response(_PROXY_PAGE, media_type="text/html")
            case FaultKind.LATENCY | FaultKind.HALF_PAGE | FaultKind.REPEATED_ROW | FaultKind.REPLAY:
                return done


def _authorize(tenant: Tenant, request: Request) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    expected = f"{tenant.user.username}:{tenant.user.password}".encode()
    try:
        credentials = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        credentials = b""
    if scheme.lower() != "basic" or not hmac.compare_digest(credentials, expected):
        raise UnauthorizedError("Unauthorized")
    if not tenant.user.has_web_api_role:
        raise UnauthorizedError("RoleMissing")
    needed = {Module.WEB_API, MODULE_OF.get(request.path_params["resource"], Module.WEB_API)}
    if missing := needed - tenant.modules:
        raise NotLicensedError(f"ModuleNotLicensed: {min(missing)}")


def _handle(tenant: Tenant, request: Request, body: bytes, fault: Fault | None) -> Answer:
    has_id = "record_id" in request.path_params
    handler = handler_for(request.path_params["resource"], request.method, has_id=has_id)
    if handler is None:
        raise MethodNotAllowedError("MethodNotAllowed")
    query = dict(request.query_params)
    if fault is not None and fault.kind is FaultKind.REPLAY and query.get("changedSinceTicks"):
        query["changedSinceTicks"] = "0"
    call = Call(query, values.parse_object(body), _record_id(request) if has_id else 0)
    answer = handler(tenant, call)
    if fault is not None and fault.kind is FaultKind.REPEATED_ROW and call.page is not None and call.page[0] > 1:
        page, size = call.page
        before = handler(tenant, Call({**query, "page": str(page - 1), "pageSize": str(size)}, call.body))
        return Answer([*values.records(before.result)[-1:], *values.records(answer.result)], beside=answer.beside)
    return answer


class MethodNotAllowedError(ArcavisError):
    """The resource exists, the method does not."""

    status = 405


def _record_id(request: Request) -> int:
    try:
        return int(request.path_params["record_id"])
    except ValueError:
        raise UnknownRecordError("NotFound") from None


def _json(content: values.Record, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(values.dump(content), status, headers, media_type="application/json")
