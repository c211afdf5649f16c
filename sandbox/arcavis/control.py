"""The control API of the simulated Arcavis, `/_sandbox/...`: plain JSON, no credentials."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.arcavis import articles, tills, transactions, values
from sandbox.arcavis.contacts import CUSTOMERS, SUPPLIERS
from sandbox.arcavis.errors import ArcavisError, BadRequestError, UnknownRecordError
from sandbox.arcavis.faults import read_fault
from sandbox.arcavis.listing import Call
from sandbox.arcavis.seed import fill_shop
from sandbox.arcavis.table import Table
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
        ("GET", f"{tenant}/records/{{resource}}", _records),
        ("POST", f"{tenant}/records/{{resource}}", _save),
        ("DELETE", f"{tenant}/records/{{resource}}/{{record_id:int}}", _delete),
        ("POST", f"{tenant}/transactions/{{record_id:int}}/cancel", _cancel),
        ("POST", f"{tenant}/tills/{{record_id:int}}/close", _close),
        ("POST", f"{tenant}/tills/{{record_id:int}}/offline", _offline),
        ("POST", f"{tenant}/tills/{{record_id:int}}/online", _online),
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
    """`{slug, username, password, seed?, has_articles?, has_contacts?}`: a new tenant, by default with the shop."""
    tenant = world.add_tenant(text(body.get("slug")), text(body.get("username")), text(body.get("password")))
    if flag(body.get("seed", True)):
        fill_shop(
            tenant,
            has_articles=flag(body.get("has_articles", True)),
            has_contacts=flag(body.get("has_contacts", True)),
        )
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


def _records(world: World, request: Request, _body: Record) -> object:
    """All customers, suppliers, articles or articlestocks, deleted ones left out."""
    tenant, resource = tenant_of(world, request), request.path_params["resource"]
    return _table(tenant, resource).visible()


def _save(world: World, request: Request, body: Record) -> object:
    """Create or change one as a person does in the backoffice; fields as in the API. Answers the record."""
    tenant, resource = tenant_of(world, request), request.path_params["resource"]
    match resource:
        case "customers" | "suppliers":
            contacts = CUSTOMERS if resource == "customers" else SUPPLIERS
            return _table(tenant, resource).get(contacts.upsert(tenant, body))
        case "articles":
            return tenant.articles.get(articles.upsert(tenant, body))
        case "articlestocks":
            return articles.save_stock(tenant, Call(body=body)).result
        case _:
            raise UnknownRecordError(f"{resource} cannot be changed here")


def _delete(world: World, request: Request, _body: Record) -> object:
    """Delete a customer, supplier or article softly, as a person does."""
    tenant, record_id = tenant_of(world, request), request.path_params["record_id"]
    match request.path_params["resource"]:
        case "customers":
            CUSTOMERS.remove(tenant, record_id)
        case "suppliers":
            SUPPLIERS.remove(tenant, record_id)
        case "articles":
            articles.remove(tenant, record_id)
        case resource:
            raise UnknownRecordError(f"{resource} cannot be deleted here")
    return {}


def _table(tenant: Tenant, resource: str) -> Table:
    tables = {
        "customers": tenant.customers,
        "suppliers": tenant.suppliers,
        "articles": tenant.articles,
        "articlestocks": tenant.stocks,
    }
    if resource not in tables:
        raise UnknownRecordError(f"resources are {', '.join(tables)}")
    return tables[resource]


def _cancel(world: World, request: Request, _body: Record) -> object:
    return transactions.cancel(tenant_of(world, request), request.path_params["record_id"])


def _close(world: World, request: Request, _body: Record) -> object:
    return transactions.close_day(tenant_of(world, request), request.path_params["record_id"])


def _offline(world: World, request: Request, _body: Record) -> object:
    """From now on the till is not heard any more."""
    return tills.go_offline(tenant_of(world, request), request.path_params["record_id"])


def _online(world: World, request: Request, _body: Record) -> object:
    """The till is back and delivers what it sold meanwhile."""
    return tills.go_online(tenant_of(world, request), request.path_params["record_id"])


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
        "suppliers": len(tenant.suppliers),
        "articles": len(tenant.articles),
        "transactions": len(tenant.transactions),
        "orders": len(tenant.orders),
    }
