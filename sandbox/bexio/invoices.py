"""Invoices (`/2.0/kb_invoice`): draft, issued, paid, cancelled, written off."""

from sandbox.bexio import documents, forms, heads, pdf, periods, positions
from sandbox.bexio.call import SUCCESS, Answer, Call, Route, Routes
from sandbox.bexio.company import INVOICE, Company, Document, InvoiceStatus
from sandbox.bexio.errors import Forbidden, Invalid
from sandbox.bexio.ledger import RECEIVABLES, ROUNDING, Reference
from sandbox.bexio.limits import Bucket
from sandbox.bexio.values import ZERO, Record, fixed, short

SEARCHABLE = documents.SEARCHABLE | {"api_reference", "is_valid_to"}
BAD_DEBTS, DISCOUNTS_GIVEN = "3805", "3800"
PLACEHOLDER = "[Network Link]"
_FIELDS = {**heads.FIELDS, "is_valid_to": forms.day, "reference": forms.text}
FORM = forms.Form(_FIELDS, frozenset({"user_id"}))
_COPY = forms.Form(
    {
        "contact_id": forms.known("contacts"),
        "contact_sub_id": forms.known("contacts"),
        "is_valid_from": forms.day,
        "title": forms.text,
    },
    frozenset({"contact_id"}),
)
_SEND = forms.Form(
    {
        "recipient_email": forms.text,
        "subject": forms.text,
        "message": forms.text,
        "mark_as_open": forms.flag,
        "attach_pdf": forms.flag,
    }
)


def routes() -> Routes:
    """The endpoints of invoices, without payments and positions."""
    show, edit, one = ("kb_invoice_show",), ("kb_invoice_edit",), "/2.0/kb_invoice/{id}"
    return {
        ("GET", "/2.0/kb_invoice"): Route(_list, show),
        ("POST", "/2.0/kb_invoice"): Route(_create, edit),
        ("POST", "/2.0/kb_invoice/search"): Route(_search, show, Bucket.SEARCH),
        ("GET", one): Route(_show, show),
        ("POST", one): Route(_edit, edit),
        ("DELETE", one): Route(_delete, edit),
        ("POST", f"{one}/issue"): Route(_issue, edit),
        ("POST", f"{one}/revert_issue"): Route(_revert_issue, edit),
        ("POST", f"{one}/cancel"): Route(_cancel, edit),
        ("POST", f"{one}/copy"): Route(_copy, edit),
        ("POST", f"{one}/mark_as_sent"): Route(_mark_as_sent, edit),
        ("POST", f"{one}/send"): Route(_send, edit),
        ("GET", f"{one}/pdf"): Route(_pdf, show, Bucket.SEARCH),
    }


def shown(invoice: Document, *, is_echo: bool = False) -> Record:
    """An invoice without its lines, as lists show it."""
    money = short if is_echo else fixed
    return {
        **documents.shown(invoice, is_echo=is_echo),
        "total_received_payments": money(invoice.received),
        "total_credit_vouchers": money(ZERO),
        "total_remaining_payments": fixed(invoice.open_amount, 4),
        "is_valid_to": invoice.head["is_valid_to"],
        "reference": invoice.head["reference"],
        "esr_id": invoice.id,
        "qr_invoice_id": invoice.id,
    }


def detailed(company: Company, invoice: Document, *, is_echo: bool = False, is_new: bool = False) -> Record:
    """An invoice with its lines."""
    lines = positions.shown(company, invoice.positions, invoice.totals.discounts, is_echo=is_new)
    return {**shown(invoice, is_echo=is_echo or is_new), "positions": lines}


def issue(company: Company, invoice: Document) -> None:
    """From draft to pending: the receivable, the revenue per account and the VAT per rate are booked.

    Raises:
        Invalid: not a draft, nothing on it, a negative total, or a day that can not be booked on.
    """
    if invoice.status != InvoiceStatus.DRAFT:
        raise Invalid("Only a draft can be issued.")
    if not invoice.positions and not company.rules.issues_without_positions:
        raise Invalid("An invoice without positions can not be issued.")
    if invoice.total < 0:
        raise Invalid("An invoice with a negative total can not be issued.")
    periods.check_open(company, invoice.day, with_vat=bool(invoice.totals.taxes))
    _book(company, invoice)
    set_status(company, invoice, InvoiceStatus.PENDING)


def cancel(company: Company, invoice: Document) -> None:
    """From pending to cancelled; the booking is reversed.

    Raises:
        Invalid: a draft, paid or partly paid, or cancelled already.
    """
    if invoice.status != InvoiceStatus.PENDING:
        raise Invalid("Only an issued invoice without payments can be cancelled.")
    company.ledger.reverse(INVOICE, invoice.id, invoice.day)
    set_status(company, invoice, InvoiceStatus.CANCELLED)


def revert_issue(company: Company, invoice: Document) -> None:
    """Back to draft; the booking is taken out.

    Raises:
        Invalid: not issued, or with payments.
    """
    if invoice.status != InvoiceStatus.PENDING:
        raise Invalid("Only an issued invoice without payments can become a draft again.")
    company.ledger.remove(INVOICE, invoice.id)
    set_status(company, invoice, InvoiceStatus.DRAFT)


def write_off(company: Company, invoice: Document) -> None:
    """A bookkeeper gives the open amount up, in bexio's screens: status "unpaid".

    Raises:
        Invalid: when nothing is open.
    """
    if invoice.status not in {InvoiceStatus.PENDING, InvoiceStatus.PARTIAL}:
        raise Invalid("Only an open invoice can be written off.")
    ledger, numbers = company.ledger, {row["account_no"] for row in company.accounts}
    loss = ledger.account_id(BAD_DEBTS if BAD_DEBTS in numbers else DISCOUNTS_GIVEN)
    reference = Reference(INVOICE, invoice.id, f"{invoice.number}, Abschreibung")
    ledger.book(reference, company.today(), loss, ledger.account_id(RECEIVABLES), invoice.open_amount)
    set_status(company, invoice, InvoiceStatus.UNPAID)


def set_status(company: Company, invoice: Document, status: InvoiceStatus) -> None:
    """Another status, at this time."""
    invoice.status = status
    documents.touch(company, invoice)


def draft(call: Call) -> Document:
    """The invoice of the path, which has to be a draft.

    Raises:
        Invalid: when it is issued.
    """
    invoice = call.company.invoices[call.ids[0]]
    if invoice.status != InvoiceStatus.DRAFT:
        raise Invalid("Only a draft can be edited.")
    return invoice


def _book(company: Company, invoice: Document) -> None:
    ledger = company.ledger
    receivable = ledger.account_id(RECEIVABLES)
    name = invoice.head["contact_address"].partition("\n")[0]
    reference = Reference(INVOICE, invoice.id, f"{invoice.number}, {name}")
    left = invoice.total
    for share in invoice.totals.shares:
        ledger.book(reference, invoice.day, receivable, share.account_id, share.net, share.tax_id)
        vat_account = company.taxes[share.tax_id]["account_id"]
        ledger.book(reference, invoice.day, receivable, vat_account, share.vat, share.tax_id, share.vat)
        left -= share.net + share.vat
    rounding = Reference(INVOICE, invoice.id, f"{invoice.number}, Rundungsdifferenz")
    ledger.book(rounding, invoice.day, receivable, ledger.account_id(ROUNDING), left)


def _list(call: Call) -> Answer:
    return Answer([shown(each) for each in documents.page(call, INVOICE)])


def _search(call: Call) -> Answer:
    found = documents.found(call, INVOICE, SEARCHABLE)
    return Answer([shown(each) for each in found])


def _create(call: Call) -> Answer:
    invoice = documents.create(call.company, INVOICE, FORM, call.form(), InvoiceStatus.DRAFT)
    return Answer(detailed(call.company, invoice, is_new=True), 201)


def _show(call: Call) -> Answer:
    return Answer(detailed(call.company, call.company.invoices[call.ids[0]]))


def _edit(call: Call) -> Answer:
    invoice = draft(call)
    documents.edit(call.company, invoice, FORM, call.form())
    return Answer(detailed(call.company, invoice, is_echo=True))


def _delete(call: Call) -> Answer:
    invoice = call.company.invoices[call.ids[0]]
    if invoice.status != InvoiceStatus.DRAFT:
        raise Forbidden("Only a draft can be deleted.")
    call.company.invoices.remove(invoice.id)
    return Answer(SUCCESS)


def _issue(call: Call) -> Answer:
    issue(call.company, call.company.invoices[call.ids[0]])
    return Answer(SUCCESS)


def _revert_issue(call: Call) -> Answer:
    revert_issue(call.company, call.company.invoices[call.ids[0]])
    return Answer(SUCCESS)


def _cancel(call: Call) -> Answer:
    cancel(call.company, call.company.invoices[call.ids[0]])
    return Answer(SUCCESS)


def _copy(call: Call) -> Answer:
    source = call.company.invoices[call.ids[0]]
    values = _COPY.read(call.company, call.form())
    changes: Record = {"is_valid_from": call.company.today().isoformat(), "title": "", **values}
    copied = documents.copy_of(call.company, INVOICE, source, changes, InvoiceStatus.DRAFT)
    for line in source.positions:
        documents.add_position(call.company, copied, line)
    documents.recount(call.company, copied)
    return Answer(detailed(call.company, copied, is_new=True), 201)


def _mark_as_sent(call: Call) -> Answer:
    """A draft becomes pending, as in bexio's screens."""
    invoice = call.company.invoices[call.ids[0]]
    if invoice.status == InvoiceStatus.CANCELLED:
        raise Invalid("A cancelled invoice can not be sent.")
    if invoice.status == InvoiceStatus.DRAFT:
        issue(call.company, invoice)
    invoice.is_sent = True
    documents.touch(call.company, invoice)
    return Answer(SUCCESS)


def _send(call: Call) -> Answer:
    invoice = call.company.invoices[call.ids[0]]
    mail = _SEND.read(call.company, call.form())
    if not all(mail.get(name) for name in ("recipient_email", "subject", "message")):
        raise Invalid("missing data")
    if PLACEHOLDER not in mail["message"]:
        raise Invalid("missing_network_placeholder")
    if invoice.status == InvoiceStatus.DRAFT and mail.get("mark_as_open"):
        issue(call.company, invoice)
    call.company.mails.append({"kb_invoice_id": invoice.id, **mail})
    invoice.is_sent = True
    documents.touch(call.company, invoice)
    return Answer(SUCCESS)


def _pdf(call: Call) -> Answer:
    invoice = call.company.invoices[call.ids[0]]
    lines = [f"{invoice.head['title']} {invoice.number}", f"Total {invoice.total:.2f}"]
    return Answer(pdf.as_file(f"{invoice.number}.pdf", lines))
