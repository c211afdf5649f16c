"""A sale in bexio's words: contact, head and positions of the invoice. What bexio lacks is said before it is asked."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from app.capabilities.documents.positions import Position, Spoken, positions
from app.capabilities.documents.records import ArticleLink
from app.capabilities.documents.schemas import Customer, Sale
from app.capabilities.documents.turn import Turn
from app.capabilities.parties.evidence import Party
from app.capabilities.parties.links import LinkKey
from app.capabilities.parties.resolution import Resolution
from app.connectors.bexio.contacts import ContactCreate, ContactType
from app.connectors.bexio.invoices import InvoiceCreate
from app.connectors.bexio.positions import ArticlePosition, CustomPosition, InlinePosition, TextPosition
from app.core.money import ZERO
from app.jobs.outcomes import Halt, NeedsAttention

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def _chosen(value: int | str | None, setting: str) -> str:
    if value is None:
        raise Halt(NeedsAttention("settings-incomplete", {"setting": setting}))
    return str(value)


def fix_invoice_type(turn: Turn) -> None:
    """Which part of the sale is on invoice is decided once: a changed setting must not book it as paid at the till.

    Raises:
        Halt: the setting is missing.
    """
    if turn.invoice_type is None:
        setting = turn.config.settings.invoice_payment_type_id
        turn.work.note(invoice_type=_chosen(setting, "invoice_payment_type_id"))


async def lines(turn: Turn) -> list[InlinePosition]:
    """All lines of the sale as positions, with their accounts and VAT codes of the day of the sale.

    Raises:
        Halt: a setting is missing.
        RemoteRejected: bexio lacks the account or the VAT code.
    """
    sale = turn.document.sale
    account_no = _chosen(turn.config.settings.invoice_account_no, "invoice_account_no")
    account = await turn.reference.account(account_no)
    rates = {line.tax_rate for line in sale.lines if not line.is_text and line.tax_rate is not None}
    taxes = {rate: (await turn.reference.sales_tax(rate, sale.date)).id for rate in rates}
    return [_position(line, turn.opened.articles, account.id, taxes) for line in positions(sale.lines)]


def _position(
    position: Position, articles: Mapping[str, ArticleLink], account: int, taxes: dict[Decimal, int]
) -> InlinePosition:
    if isinstance(position, Spoken):
        return TextPosition(text=_as_html(position.text))
    line, shape = position.line, position.shape
    linked = articles.get(line.article_id or "")
    account_id = linked.account_id if linked and linked.account_id else account
    priced = CustomPosition(
        amount=shape.quantity,
        unit_price=shape.unit_price,
        discount_in_percent=shape.discount_percent,
        account_id=account_id,
        tax_id=taxes[line.tax_rate or ZERO],
        text=_as_html(position.text),
    )
    return ArticlePosition(article_id=linked.bexio_id, **dict(priced)) if linked else priced


async def invoice(turn: Turn, contact: int, positions_: list[InlinePosition]) -> InvoiceCreate:
    """The draft to create.

    Raises:
        Halt: a setting is missing.
    """
    sale, settings = turn.document.sale, turn.config.settings
    customer = sale.customer
    language = (customer.language if customer else None) or settings.language
    currency = await turn.reference.currency(sale.currency)
    return InvoiceCreate(
        title=_title(sale),
        contact_id=contact,
        user_id=int(_chosen(settings.bexio_user_id, "bexio_user_id")),
        language_id=await turn.reference.language_id(language),
        bank_account_id=settings.invoice_bank_account_id,
        currency_id=currency.id,
        payment_type_id=settings.invoice_bexio_payment_type_id,
        footer=_as_html(sale.remarks) if sale.remarks else None,
        is_valid_from=sale.date,
        is_valid_to=sale.date + timedelta(days=settings.invoice_due_days),
        api_reference=turn.api_reference,
        positions=tuple(positions_),
    )


def _as_html(text: str) -> str:
    """Footer and line texts are HTML in bexio: what the cashier typed is shown, not interpreted."""
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def _title(sale: Sale) -> str:
    place = ", ".join(part for part in (sale.store, sale.point_of_sale) if part)
    return f"{sale.number} ({place})" if place else sale.number


async def resolution(turn: Turn) -> Resolution:
    """Who the invoice is for, to be found or created in bexio."""
    customer = turn.document.sale.customer
    if customer is None:
        raise Halt(NeedsAttention("customer-missing"))
    user = int(_chosen(turn.config.settings.bexio_user_id, "bexio_user_id"))
    return Resolution(
        work=turn.work,
        bexio=turn.bexio,
        key=LinkKey(turn.work.tenant, "customer", customer.arcavis_id),
        party=_party(customer),
        new_contact=await _contact(turn, customer, user),
        settle=turn.settle,
    )


def _party(customer: Customer) -> Party:
    person = not customer.is_company
    last_name, first_name = _names(customer)
    return Party(
        is_company=customer.is_company,
        company_name=(customer.company_name or "").strip() if customer.is_company else "",
        last_name=last_name if person else "",
        first_name=first_name if person else "",
        street=f"{customer.street or ''} {customer.house_number or ''}".strip(),
        postcode=customer.postcode or "",
        city=customer.city or "",
        email=(customer.email or "").strip(),
        number=customer.customer_number or "",
    )


def _names(customer: Customer) -> tuple[str, str]:
    """Last and first name; somebody known by the first name only goes by that."""
    last, first = (customer.last_name or "").strip(), (customer.first_name or "").strip()
    return (last, first) if last else (first, "")


def _mail(text: str | None) -> str | None:
    """An address that bexio takes; what a cashier typed instead of one must not keep the sale from its invoice."""
    mail = (text or "").strip()
    return mail if _ADDRESS.fullmatch(mail) else None


async def _contact(turn: Turn, customer: Customer, user: int) -> ContactCreate:
    last_name, first_name = _names(customer)
    company = (customer.company_name or "").strip()
    street = customer.street or None
    return ContactCreate(
        contact_type_id=ContactType.COMPANY if customer.is_company else ContactType.PERSON,
        name_1=company if customer.is_company else last_name,
        name_2=None if customer.is_company else first_name or None,
        user_id=user,
        owner_id=user,
        street_name=street,
        house_number=(customer.house_number or None) if street else None,
        address_addition=(customer.address_addition or None) if street else None,
        postcode=customer.postcode or None,
        city=customer.city or None,
        country_id=await turn.reference.country_id(customer.country) if customer.country else None,
        mail=_mail(customer.email),
        phone_fixed=customer.phone or None,
        phone_mobile=customer.mobile or None,
        language_id=await turn.reference.language_id(customer.language) if customer.language else None,
    )
