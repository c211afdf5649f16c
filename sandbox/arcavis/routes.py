"""Which call goes to which handler, and which licence it needs."""

from collections.abc import Callable

from sandbox.arcavis import articles, booking, orders, tills, transactions
from sandbox.arcavis.contacts import CUSTOMERS, SUPPLIERS, Contacts
from sandbox.arcavis.errors import BadRequestError, UnknownRecordError
from sandbox.arcavis.listing import Answer, Call, list_rows
from sandbox.arcavis.seed import add_payment_type
from sandbox.arcavis.tenant import HELPER_RESOURCES, Module, Tenant
from sandbox.arcavis.values import text

Handler = Callable[[Tenant, Call], Answer]
RouteKey = tuple[str, bool, str]
"""Resource, whether an id follows, and method."""

MODULE_OF = {"orders": Module.ORDERS, "bookingrules": Module.ACCOUNTING_EXPORT}
"""The licence a resource needs beside the Web-API."""


def _helper(resource: str) -> dict[RouteKey, Handler]:
    def read_all(tenant: Tenant, call: Call) -> Answer:
        return list_rows(tenant.helpers[resource], call, tenant.ticks.next())

    def read_one(tenant: Tenant, call: Call) -> Answer:
        return Answer(tenant.helpers[resource].get(call.record_id))

    return {(resource, False, "GET"): read_all, (resource, True, "GET"): read_one}


def _contacts(resource: str, contacts: Contacts) -> dict[RouteKey, Handler]:
    return {
        (resource, False, "GET"): contacts.read_all,
        (resource, True, "GET"): contacts.read_one,
        (resource, False, "POST"): contacts.save,
        (resource, True, "PUT"): contacts.replace,
        (resource, True, "DELETE"): contacts.delete,
    }


def _save_payment_type(tenant: Tenant, call: Call) -> Answer:
    if not text(call.body.get("Title")):
        raise BadRequestError("TitleMissing")
    return Answer(add_payment_type(tenant, call.body))


ROUTES: dict[RouteKey, Handler] = {
    ("articles", False, "GET"): articles.read_all,
    ("articles", True, "GET"): articles.read_one,
    ("articles", False, "POST"): articles.save,
    ("articlestocks", False, "GET"): articles.read_stocks,
    ("articlestocks", True, "GET"): articles.read_stock,
    ("articlestocks", False, "POST"): articles.save_stock,
    ("transactions", False, "GET"): transactions.read_all,
    ("transactions", True, "GET"): transactions.read_one,
    ("transactions", False, "PUT"): booking.check,
    ("transactions", False, "POST"): booking.book,
    ("orders", False, "GET"): orders.read_all,
    ("orders", True, "GET"): orders.read_one,
    ("orders", False, "POST"): orders.save,
    ("paymenttypes", False, "POST"): _save_payment_type,
    **_contacts("customers", CUSTOMERS),
    **_contacts("suppliers", SUPPLIERS),
    **dict(entry for name in HELPER_RESOURCES for entry in _helper(name).items()),
    ("pointofsales", False, "GET"): tills.read_all,
    ("pointofsales", True, "GET"): tills.read_one,
}


def handler_for(resource: str, method: str, *, has_id: bool) -> Handler | None:
    """The handler of a call; None when the resource does not know the method.

    Raises:
        UnknownRecordError: when there is no such resource.
    """
    found = ROUTES.get((resource, has_id, method))
    if found is None and not any(name == resource and with_id == has_id for name, with_id, _ in ROUTES):
        raise UnknownRecordError("ResourceNotFound")
    return found
