"""Orders (`/2.0/kb_order`) and the invoices that are made from them."""

from decimal import Decimal
from typing import cast

from sandbox.bexio import documents, forms, heads, invoices, positions
from sandbox.bexio.call import SUCCESS, Answer, Call, Route, Routes
from sandbox.bexio.company import INVOICE, ORDER, Company, Document, InvoiceStatus, OrderStatus
from sandbox.bexio.errors import Invalid, form_errors
from sandbox.bexio.values import ZERO, Record, decimal_of

_FIELDS = {
    **heads.FIELDS,
    "delivery_address_type": forms.one_of(0, 1),
    "delivery_address_manual": forms.text,
}
FORM = forms.Form(_FIELDS, frozenset({"user_id", "contact_id"}))


def routes() -> Routes:
    """The endpoints of orders, without their positions."""
    show, edit, one = ("kb_order_show",), ("kb_order_edit",), "/2.0/kb_order/{id}"
    return {
        ("GET", "/2.0/kb_order"): Route(_list, show),
        ("POST", "/2.0/kb_order"): Route(_create, edit),
        ("POST", "/2.0/kb_order/search"): Route(_search, show),
        ("GET", one): Route(_show, show),
        ("POST", one): Route(_edit, edit),
        ("DELETE", one): Route(_delete, edit),
        ("POST", f"{one}/invoice"): Route(_invoice, ("kb_order_edit", "kb_invoice_edit")),
    }


def shown(order: Document, *, is_echo: bool = False) -> Record:
    """An order without its lines, as lists show it."""
    head = order.head
    return {
        **documents.shown(order, is_echo=is_echo),
        "delivery_address_type": head["delivery_address_type"],
        "delivery_address": head["delivery_address_manual"] or head["contact_address"],
        "is_recurring": False,
    }


def detailed(company: Company, order: Document, *, is_new: bool = False) -> Record:
    """An order with its lines."""
    lines = positions.shown(company, order.positions, order.totals.discounts, is_echo=is_new)
    return {**shown(order, is_echo=is_new), "positions": lines}


def to_invoice(company: Company, order: Document, wanted: dict[tuple[str, int], Decimal] | None) -> Document:
    """A draft with some amounts of some positions, by type and id; with None all that is left.

    Raises:
        Invalid: for an amount that the order does not have left.
    """
    left = _left(order)
    taken = left if wanted is None else wanted
    for key, amount in taken.items():
        if key not in left or not ZERO < amount <= left[key]:
            raise form_errors(f"positions: {key[0]} {key[1]} has not that amount left")
    if not taken and any(line["type"] in positions.PRICED for line in order.positions):
        raise Invalid("The order is invoiced completely.")
    changes: Record = {
        "is_valid_from": company.today().isoformat(),
        "title": company.setting(INVOICE)["default_title"],
        "reference": "",
    }
    invoice = documents.copy_of(company, INVOICE, order, changes, InvoiceStatus.DRAFT)
    for line in order.positions:
        key = (line["type"], line["id"])
        if line["type"] in positions.PRICED and key in taken:
            documents.add_position(company, invoice, {**line, "amount": taken[key]})
            order.converted[key] = order.converted.get(key, ZERO) + taken[key]
        elif line["type"] not in positions.PRICED and wanted is None:
            documents.add_position(company, invoice, line)
    documents.recount(company, invoice)
    order.status = OrderStatus.PARTIAL if _left(order) else OrderStatus.DONE
    documents.touch(company, order)
    return invoice


def _left(order: Document) -> dict[tuple[str, int], Decimal]:
    left = {
        (line["type"], line["id"]): line["amount"] - order.converted.get((line["type"], line["id"]), ZERO)
        for line in order.positions
        if line["type"] in positions.PRICED
    }
    return {key: amount for key, amount in left.items() if amount > 0}


def _list(call: Call) -> Answer:
    return Answer([shown(each) for each in documents.page(call, ORDER)])


def _search(call: Call) -> Answer:
    found = documents.found(call, ORDER, documents.SEARCHABLE)
    return Answer([shown(each) for each in found])


def _create(call: Call) -> Answer:
    order = documents.create(call.company, ORDER, FORM, call.form(), OrderStatus.PENDING)
    return Answer(detailed(call.company, order, is_new=True), 201)


def _show(call: Call) -> Answer:
    return Answer(detailed(call.company, call.company.orders[call.ids[0]]))


def _edit(call: Call) -> Answer:
    order = call.company.orders[call.ids[0]]
    documents.edit(call.company, order, FORM, call.form())
    return Answer(detailed(call.company, order))


def _delete(call: Call) -> Answer:
    call.company.orders.remove(call.ids[0])
    return Answer(SUCCESS)


def _invoice(call: Call) -> Answer:
    order = call.company.orders[call.ids[0]]
    given = call.form().get("positions")
    wanted = None if given is None else dict(_wanted(each) for each in cast("list[object]", given))
    invoice = to_invoice(call.company, order, wanted)
    return Answer(invoices.detailed(call.company, invoice, is_new=True), 201)


def _wanted(given: object) -> tuple[tuple[str, int], Decimal]:
    if not isinstance(given, dict):
        raise form_errors("positions: Invalid.")
    line = cast("Record", given)
    try:
        return (str(line.get("type")), int(line.get("id") or 0)), decimal_of(line.get("amount"))
    except (TypeError, ValueError):
        raise form_errors("positions: Invalid.") from None
