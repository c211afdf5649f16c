"""The control API of the simulated Arcavis, `/_sandbox/...`: plain JSON, no credentials."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.arcavis import transactions, values
from sandbox.arcavis.errors import ArcavisError, BadRequestError
from sandbox.arcavis.faults import read_fault
from sandbox.arcavis.seed import fill_shop
from sandbox.arcavis.tenant import Module, Tenant
from sandbox.arcavis.values import Record, flag, text, whole
from sandbox.arcavis.world import World

Action = Callable[[World, Request, Record], object]


def routes(world: World) -> list[Route]:
    """The control routes over `world`."""
    tenant = "/_sandbox/tenants/{tenant}"
    table: list[tuple[str, str, Action]] = [
        ("GET", "/_sandbox/faults", _faults),
        ("POST", "/_sandbox/faults", _add_fault),
        ("DELETE", "/_sandbox/faults", _clear_faults),
        ("GET", "/_sandbox/requests", _requests),
        ("DELETE", "/_sandbox/requests", _clear_requests),
        ("GET", "/_sandbox/tenants", _tenants),
        ("POST", "/_sandbox/tenants", _add_tenant),
        ("PATCH", tenant, _change_tenant),
        ("POST", f"{tenant}/transactions/{{record_id:int}}/cancel", _cancel),
        ("POST", f"{tenant}/tills/{{record_id:int}}/close", _close),
    ]
    return [Route(path, endpoint(world, action), methods=[method]) for method, path, action in table]


def endpoint(world: World, action: Action) -> Callable[[Request], Awaitable[Response]]:
    """An action as an endpoint: JSON object in, JSON out, a refusal as `{error}`."""

    async def answer(request: Request) -> Response:
        try:
            result = action(world, request, values.parse_object(await request.body()))
        except ArcavisError as error:
            status = 400 if error.status == 200 else error.status
            return Response(values.dump({"error": error.message}), status, media_type="application/json")
        return Response(values.dump(result), media_type="application/json")

    return answer


def _faults(world: World, _request: Request, _body: Record) -> object:
    return world.faults.report()


def _clear_faults(world: World, _request: Request, _body: Record) -> object:
    world.faults.clear()
    return []


def _requests(world: World, _request: Request, _body: Record) -> object:
    return world.requests.report()


def _clear_requests(world: World, _request: Request, _body: Record) -> object:
    world.requests.clear()
    return world.requests.report()


def _tenants(world: World, _request: Request, _body: Record) -> object:
    return [_report(tenant) for tenant in world.tenants.values()]


def _add_fault(world: World, _request: Request, body: Record) -> object:
    world.faults.add(read_fault(body))
    return world.faults.report()


def _add_tenant(world: World, _request: Request, body: Record) -> object:
    """`{slug, username, password, seed?}`: a new tenant, with the demo shop unless `seed` is false."""
    tenant = world.add_tenant(text(body.get("slug")), text(body.get("username")), text(body.get("password")))
    if flag(body.get("seed", True)):
        fill_shop(tenant)
    return _report(tenant)


def _change_tenant(world: World, request: Request, body: Record) -> object:
    """`{modules?, has_web_api_role?, missing_status?, password?}`."""
    tenant = tenant_of(world, request)
    try:
        modules = {Module(name) for name in values.texts(body["modules"])} if "modules" in body else tenant.modules
    except ValueError:
        raise BadRequestError(f"modules are {', '.join(Module)}") from None
    tenant.modules = modules
    tenant.user.has_web_api_role = flag(body.get("has_web_api_role", tenant.user.has_web_api_role))
    tenant.user.password = text(body.get("password", tenant.user.password))
    tenant.missing_status = whole(body.get("missing_status"), tenant.missing_status)
    return _report(tenant)


def _cancel(world: World, request: Request, _body: Record) -> object:
    return transactions.cancel(tenant_of(world, request), request.path_params["record_id"])


def _close(world: World, request: Request, _body: Record) -> object:
    return transactions.close_day(tenant_of(world, request), request.path_params["record_id"])


def tenant_of(world: World, request: Request) -> Tenant:
    """The tenant that the path names."""
    return world.tenant(request.path_params["tenant"])


def _report(tenant: Tenant) -> Record:
    return {
        "slug": tenant.slug,
        "username": tenant.user.username,
        "has_web_api_role": tenant.user.has_web_api_role,
        "modules": sorted(tenant.modules),
        "missing_status": tenant.missing_status,
        "customers": len(tenant.customers),
        "articles": len(tenant.articles),
        "transactions": len(tenant.transactions),
        "orders": len(tenant.orders),
    }
