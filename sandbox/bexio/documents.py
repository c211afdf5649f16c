"""What invoices and orders share: their head, numbering, sums, lists and search."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sandbox.bexio import heads, positions
from sandbox.bexio.call import Answer, Call
from sandbox.bexio.company import INVOICE, Company, Document
from sandbox.bexio.errors import Broken, form_errors
from sandbox.bexio.forms import Form
from sandbox.bexio.search import ordered, search
from sandbox.bexio.table import Table
from sandbox.bexio.totals import Totals, add_up
from sandbox.bexio.values import Record, decimal_of, fixed, is_list, is_record, local_stamp, short

SEARCHABLE = frozenset({
    "id", "kb_item_status_id", "document_nr", "title", "contact_id", "contact_sub_id", "user_id", "currency_id",
    "total_gross", "total_net", "total", "is_valid_from", "updated_at",
})  # fmt: skip


def table_of(company: Company, kind: str) -> Table[Document]:
    """The company's invoices or orders."""
    return company.invoices if kind == INVOICE else company.orders


_COMPUTED: Mapping[str, Callable[[Document], object]] = {
    "id": lambda document: document.id,
    "kb_item_status_id": lambda document: document.status,
    "document_nr": lambda document: document.number,
    "updated_at": lambda document: local_stamp(document.updated_at),
    "total": lambda document: document.totals.total,
    "total_gross": lambda document: document.totals.gross,
    "total_net": lambda document: document.totals.net,
}


def field_of(document: Document, name: str) -> object:
    """A searchable or sortable field."""
    compute = _COMPUTED.get(name)
    return document.head.get(name) if compute is None else compute(document)


def create(company: Company, kind: str, form: Form, given: Record, status: int) -> Document:
    """A new document from the fields that the API takes.

    Raises:
        Invalid: as bexio refuses it; nothing was saved.
        Broken: too many positions; the document was saved with as many as fit.
    """
    lines: object = given.get("positions") or list[object]()
    if not is_list(lines):
        raise form_errors("positions: Invalid.")
    head = form.read(company, {name: value for name, value in given.items() if name != "positions"})
    number = heads.number(company, kind, head)
    read = [_inline(company, line) for line in lines[: company.rules.max_positions]]
    document = _begin(company, kind, head, number, status)
    for line in read:
        add_position(company, document, line)
    recount(company, document)
    table_of(company, kind).put(document.id, document)
    if len(lines) > company.rules.max_positions:
        raise Broken("Internal Server Error")
    return document


def edit(company: Company, document: Document, form: Form, given: Record) -> None:
    """Change some fields of the head."""
    values = heads.kept(form.read(company, given, is_new=False))
    heads.check_contact(company, {**document.head, **values})
    if "document_nr" in values:
        document.number = heads.given_number(company, document.kind, values)
    document.head.update(values)
    if "contact_id" in values or "contact_address_manual" in values:
        document.head["contact_address"] = heads.address(company, document.head)
    recount(company, document)


def copy_of(company: Company, kind: str, source: Document, changes: Record, status: int) -> Document:
    """A new document with another's head, but without its API reference; its lines are added by the caller."""
    head = {**source.head, "api_reference": None, "document_nr": None, **changes}
    setting = company.setting(kind)
    head["is_valid_to"] = heads.due_day(str(head["is_valid_from"]), setting)
    document = _begin(company, kind, head, heads.next_number(setting), status)
    table_of(company, kind).put(document.id, document)
    return document


def add_position(company: Company, document: Document, line: Record) -> Record:
    """Put a line at the end. The caller counts anew."""
    document.positions.append({**line, "id": company.next_position_id(line["type"])})
    return document.positions[-1]


def recount(company: Company, document: Document) -> None:
    """The totals anew, and the time of change."""
    document.totals = _totals(company, document.head, document.positions)
    touch(company, document)


def touch(company: Company, document: Document) -> None:
    """The time of change."""
    document.updated_at = company.now()


def shown(document: Document, *, is_echo: bool = False) -> Record:
    """The fields that invoices and orders share, as bexio shows them; the echo of a write has short sums."""
    head, totals = document.head, document.totals
    money = short if is_echo else fixed
    return {
        "id": document.id,
        "document_nr": document.number,
        **{name: head[name] for name in ("title", "contact_id", "contact_sub_id", "user_id")},
        "project_id": head["pr_project_id"],
        **{
            name: head[name]
            for name in ("logopaper_id", "language_id", "bank_account_id", "currency_id", "payment_type_id")
        },
        "header": head["header"],
        "footer": head["footer"],
        "total_gross": money(totals.gross),
        "total_net": money(totals.net),
        "total_taxes": fixed(totals.total_taxes, 4),
        "total": money(totals.total),
        "total_rounding_difference": float(totals.rounding) if totals.rounding else 0,
        **{name: head[name] for name in ("mwst_type", "mwst_is_net", "show_position_taxes", "is_valid_from")},
        "contact_address": head["contact_address"],
        "kb_item_status_id": document.status,
        "api_reference": head["api_reference"],
        "viewed_by_client_at": None,
        "updated_at": local_stamp(document.updated_at),
        "template_slug": head["template_slug"],
        "taxs": [{"percentage": fixed(rate, 2), "value": fixed(vat, 4)} for rate, vat in totals.taxes.items()],
        "network_link": "",
    }


def page(call: Call, kind: str) -> list[Document]:
    """The page of a list."""
    return call.page(ordered(call, list(table_of(call.company, kind)), field_of))


def found(call: Call, kind: str, fields: frozenset[str]) -> list[Document]:
    """The page of a search."""
    lag = timedelta(seconds=call.company.rules.search_lag_seconds)
    visible = table_of(call.company, kind).rows.values()
    if lag:
        visible = [each for each in visible if each.created_at + lag <= call.company.now()]
    return call.page(ordered(call, search(call, visible, fields, field_of), field_of))


def answer_positions(call: Call, document: Document, kind: str) -> Answer:
    """The lines of one type."""
    rows = positions.shown(call.company, document.positions, document.totals.discounts, is_echo=False)
    return Answer([row for row in rows if row["type"] == kind])


def _inline(company: Company, line: object) -> Record:
    if not is_record(line):
        raise form_errors("positions: Invalid.")
    given = dict(line)
    kind = given.pop("type", None)
    if kind == positions.SUBPOSITION:
        raise form_errors(f"positions: {kind} can only be added to a document")
    return positions.read(company, str(kind), given)


def _begin(company: Company, kind: str, given: Record, number: str, status: int) -> Document:
    head = {**heads.defaults(company, kind, given), **heads.kept(given)}
    if head.get("contact_address") is None or "contact_id" in given:
        heads.check_contact(company, head)
        head["contact_address"] = heads.address(company, head)
    document_id = table_of(company, kind).next_id()
    totals = _totals(company, head, [])
    now = company.now()
    return Document(document_id, kind, number, status, head, [], totals, now, now)


def _totals(company: Company, head: Record, lines: list[Record]) -> Totals:
    currency = company.currencies[head["currency_id"]]
    return add_up(
        positions.items(company, lines),
        charges_vat=head["mwst_type"] == 0,
        prices_are_net=head["mwst_is_net"] or head["mwst_type"] != 0,
        step=decimal_of(currency["round_factor"]),
    )
