"""The lines of invoices and orders: how they are written, counted and shown."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.bexio import forms
from sandbox.bexio.company import Company
from sandbox.bexio.errors import form_errors
from sandbox.bexio.forms import Check, Form
from sandbox.bexio.totals import Discount, Line, line_total
from sandbox.bexio.values import ZERO, Record, decimal_of, fixed, short

CUSTOM, ARTICLE, TEXT = "KbPositionCustom", "KbPositionArticle", "KbPositionText"
SUBTOTAL, DISCOUNT, PAGEBREAK = "KbPositionSubtotal", "KbPositionDiscount", "KbPositionPagebreak"
SUBPOSITION = "KbPositionSubposition"
SEGMENTS = {
    "kb_position_custom": CUSTOM,
    "kb_position_article": ARTICLE,
    "kb_position_text": TEXT,
    "kb_position_subtotal": SUBTOTAL,
    "kb_position_discount": DISCOUNT,
    "kb_position_pagebreak": PAGEBREAK,
    "kb_position_subposition": SUBPOSITION,
}
PRICED = frozenset({CUSTOM, ARTICLE})
_NUMBERED = frozenset({CUSTOM, ARTICLE, TEXT, SUBPOSITION})


def _sales_tax(company: Company, value: object) -> object:
    """Bexio takes active sales taxes only."""
    tax_id = forms.known("taxes")(company, value)
    if isinstance(tax_id, int) and not (
        company.taxes[tax_id]["is_active"] and company.taxes[tax_id]["type"] == "sales_tax"
    ):
        raise ValueError(f"{value} is not an active sales tax")
    return tax_id


def _open_account(company: Company, value: object) -> object:
    account_id = forms.known("accounts")(company, value)
    if isinstance(account_id, int) and not company.accounts[account_id]["is_active"]:
        raise ValueError(f"{value} is not active")
    return account_id


_PRICED_FIELDS: dict[str, Check] = {
    "amount": forms.number,
    "unit_id": forms.known("units"),
    "account_id": _open_account,
    "tax_id": _sales_tax,
    "text": forms.text,
    "unit_price": forms.number,
    "discount_in_percent": forms.optional_number,
    "is_optional": forms.flag,
}
_HEADING_FIELDS: dict[str, Check] = {"text": forms.text, "show_pos_nr": forms.flag}
FORMS: dict[str, Form] = {
    CUSTOM: Form(_PRICED_FIELDS, frozenset({"amount", "unit_price", "account_id", "tax_id"})),
    ARTICLE: Form({**_PRICED_FIELDS, "article_id": forms.known("articles")}, frozenset({"amount", "article_id"})),
    TEXT: Form(_HEADING_FIELDS),
    SUBTOTAL: Form({"text": forms.text}, frozenset({"text"})),
    DISCOUNT: Form({"text": forms.text, "is_percentual": forms.flag, "value": forms.number}, frozenset({"value"})),
    PAGEBREAK: Form({"pagebreak": forms.flag}, frozenset({"pagebreak"})),
    SUBPOSITION: Form(_HEADING_FIELDS),
}
_EDIT_ARTICLE = Form(_PRICED_FIELDS, FORMS[CUSTOM].required)


def read(company: Company, kind: str, given: Record) -> Record:
    """A new line without id, from the fields that the API takes.

    Raises:
        Invalid: as bexio refuses it.
    """
    if kind not in FORMS:
        raise form_errors(f"type: {kind} does not exist")
    values = FORMS[kind].read(company, given)
    if kind == ARTICLE:
        values = _from_article(company, values)
    if kind in PRICED and (values.get("account_id") is None or values.get("tax_id") is None):
        raise form_errors("account_id: Required.", "tax_id: Required.")
    return {"type": kind, "is_optional": False, **values}


def change(company: Company, position: Record, given: Record) -> None:
    """Change some fields of a line; the article of an article line is not among them.

    Raises:
        Invalid: as bexio refuses it.
    """
    form = _EDIT_ARTICLE if position["type"] == ARTICLE else FORMS[position["type"]]
    position.update(form.read(company, given, is_new=False))


def _from_article(company: Company, values: Record) -> Record:
    """What the line leaves open comes from the article."""
    article = company.articles[values["article_id"]]
    defaults: Record = {
        "account_id": article["account_id"],
        "tax_id": article["tax_income_id"],
        "unit_id": article["unit_id"],
        "text": article["intern_name"],
        "unit_price": decimal_of(article["sale_price"] or "0"),
    }
    filled = {**defaults, **values}
    if filled["tax_id"] is not None:
        try:
            _sales_tax(company, filled["tax_id"])
        except ValueError as error:
            raise form_errors(f"tax_id: {error}") from None
    return filled


def total_of(position: Record) -> Decimal:
    """A priced line's sum."""
    discount = position.get("discount_in_percent") or ZERO
    return line_total(position["amount"], position["unit_price"], discount)


def items(company: Company, positions: Iterable[Record]) -> list[Line | Discount]:
    """What counts towards the totals."""
    counted: list[Line | Discount] = []
    for position in positions:
        if position["is_optional"]:
            continue
        if position["type"] in PRICED:
            tax = company.taxes[position["tax_id"]]
            rate = decimal_of(tax["value"])
            counted.append(Line(total_of(position), position["account_id"], position["tax_id"], rate))
        elif position["type"] == DISCOUNT:
            counted.append(Discount(position["value"], position.get("is_percentual", False)))
    return counted


def shown(company: Company, positions: list[Record], discounts: tuple[Decimal, ...], *, is_echo: bool) -> list[Record]:
    """All lines as bexio shows them; the echo of a create has short numbers."""
    result: list[Record] = []
    running, number, left = ZERO, 0, list(discounts)
    for place, position in enumerate(positions, 1):
        kind = position["type"]
        is_numbered = kind in _NUMBERED and position.get("show_pos_nr", kind in PRICED)
        number += is_numbered
        common: Record = {
            "pos": str(number) if is_numbered else None,
            "internal_pos": place,
            "parent_id": None,
            "is_optional": position["is_optional"],
        }
        if kind in PRICED:
            result.append(_priced(company, position, common, is_echo=is_echo))
            running += ZERO if position["is_optional"] else total_of(position)
        elif kind == DISCOUNT:
            off = left.pop(0)
            running += off
            result.append(_discount(position, off))
        elif kind == SUBTOTAL:
            values = {name: value for name, value in common.items() if name != "pos"}
            result.append(
                {"id": position["id"], "type": kind, "text": position["text"], "value": fixed(running), **values}
            )
        else:
            result.append(_heading(position, common))
    return result


def _priced(company: Company, position: Record, common: Record, *, is_echo: bool) -> Record:
    discount = position.get("discount_in_percent") or ZERO
    untouched = None if is_echo else fixed(ZERO)
    unit_id = position.get("unit_id")
    row: Record = {
        "id": position["id"],
        "type": position["type"],
        "amount": short(position["amount"]) if is_echo else fixed(position["amount"]),
        "amount_reserved": untouched,
        "amount_open": untouched,
        "amount_completed": untouched,
        "unit_id": unit_id,
        "account_id": position["account_id"],
        "unit_name": None if unit_id is None else company.units[unit_id]["name"],
        "tax_id": position["tax_id"],
        "tax_value": fixed(decimal_of(company.taxes[position["tax_id"]]["value"]), 2),
        "text": position.get("text"),
        "unit_price": short(position["unit_price"]) if is_echo else fixed(position["unit_price"]),
        "discount_in_percent": short(discount) if is_echo else fixed(discount, 4),
        "position_total": short(total_of(position)) if is_echo else fixed(total_of(position)),
        **common,
    }
    return {**row, "article_id": position["article_id"]} if position["type"] == ARTICLE else row


def _discount(position: Record, off: Decimal) -> Record:
    return {
        "id": position["id"],
        "type": DISCOUNT,
        "text": position.get("text"),
        "is_percentual": position.get("is_percentual", False),
        "value": fixed(position["value"]),
        "discount_total": fixed(-off),
    }


def _heading(position: Record, common: Record) -> Record:
    kind = position["type"]
    if kind == PAGEBREAK:
        values = {name: value for name, value in common.items() if name != "pos"}
        return {"id": position["id"], "type": kind, "pagebreak": True, **values}
    row: Record = {
        "id": position["id"],
        "type": kind,
        "text": position.get("text"),
        "show_pos_nr": position.get("show_pos_nr", False),
        **common,
    }
    return {**row, "total_sum": "0", "show_pos_prices": True} if kind == SUBPOSITION else row
