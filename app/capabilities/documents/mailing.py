"""bexio mails the invoice, when the tenant wants that. A mail cannot be taken back: it is never sent on a guess."""

from __future__ import annotations

from app.capabilities.documents.turn import Turn
from app.connectors.bexio.invoices import LINK_PLACEHOLDER, InvoiceSend
from app.core.errors import ConnectionRefused, RemoteRejected, RemoteUnavailable
from app.jobs.outcomes import Halt, NeedsAttention

TEXTS = {
    "de": (
        "Rechnung {number}",
        "Guten Tag\n\nIhre Rechnung finden Sie hier: {link}\n\nFreundliche Grüsse\n{name}",
    ),
    "fr": (
        "Facture {number}",
        "Bonjour,\n\nVous trouverez votre facture ici : {link}\n\nMeilleures salutations\n{name}",
    ),
    "it": ("Fattura {number}", "Buongiorno\n\nTrova la Sua fattura qui: {link}\n\nCordiali saluti\n{name}"),
    "en": ("Invoice {number}", "Hello\n\nYou find your invoice here: {link}\n\nKind regards\n{name}"),
}


def fix_wish(turn: Turn) -> None:
    """Whether bexio mails the invoice is decided once: a setting that changes later must not mail old invoices."""
    if "send_mail" not in turn.work.memo:
        turn.work.note(send_mail=turn.config.settings.invoice_send_mail)


def is_wanted(turn: Turn) -> bool:
    """What the setting said when work on the sale began."""
    return bool(turn.work.memo.get("send_mail"))


async def mail(turn: Turn) -> None:
    """Sends the mail once.

    Raises:
        Halt: bexio refused, or did not say whether it sent it; a person must look.
    """
    customer = turn.document.sale.customer
    state = turn.work.memo.get("mail")
    wanted = is_wanted(turn) and customer is not None and customer.email
    if not wanted or state == "sent" or turn.facts is None or customer is None or customer.email is None:
        return
    number = turn.facts.number or str(turn.facts.id)
    if state == "intended":
        raise Halt(NeedsAttention("mail-outcome-unknown", {"invoice": number}))
    language = customer.language if customer.language in TEXTS else turn.config.settings.language
    subject, message = TEXTS[language or "de"]
    letter = InvoiceSend(
        recipient_email=customer.email,
        subject=subject.format(number=number),
        message=message.format(link=LINK_PLACEHOLDER, name=turn.config.name),
    )
    bexio = await turn.intend("mailing", mail="intended")
    try:
        await bexio.invoices.send(turn.facts.id, letter)
    except (RemoteUnavailable, ConnectionRefused):
        turn.work.note(mail=None)
        raise
    except RemoteRejected as error:
        turn.work.note(mail=None)
        reasons = "; ".join(error.reasons)
        raise Halt(NeedsAttention("mail-rejected", {"invoice": number, "reasons": reasons})) from error
    await turn.work.reached("mail-answered")
    turn.work.note(mail="sent")
