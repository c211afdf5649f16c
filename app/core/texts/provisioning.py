"""OAuth, provisioning, mails and the pages people see."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.texts.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "mail-login": Entry(
        "Your Arcavis for {company} is ready",
        "Arcavis and bexio are connected. Contacts, articles with their stock and booking rules were taken "
        "over from bexio.",
        "Sign in with the user below. If you do not know the password, ask for a new one on the sign-in page.",
    ),
    "mail-login-initial": Entry(
        "Your Arcavis for {company} is ready",
        "Arcavis and bexio are connected. Contacts, articles with their stock and booking rules were taken "
        "over from bexio.",
        "Sign in with the user and the initial password below. The password must be changed at the first "
        "sign-in; do it soon, because mails can be read on their way.",
    ),
    "mail-connection-lost": Entry(
        "{company}: the connection to {system} no longer works",
        "{system} no longer accepts the connection. Sales are still taken in; they wait and nothing is lost.",
        "Connect {system} again in Arcavis. What waits goes on by itself then.",
    ),
    "mail-token-expires": Entry(
        "{company}: the access to bexio ends on {day}",
        "The personal access token for bexio ends in {days} days. Without it no invoice reaches bexio any more.",
        "Create a new token in bexio and connect bexio in Arcavis with it before that day.",
    ),
    "mail-digest": Entry(
        "{company}: {count} waiting for you",
        "This waits for a person between Arcavis and bexio. Everything else goes on meanwhile.",
        "Look at each in Arcavis under bexio and press “Try again” once its cause is mended.",
    ),
    "mail-perhaps-sent": Entry(
        "Mail may not have arrived",
        "The mail server did not say whether it took the mail to {recipient}. It is not sent again by "
        "itself, so that nobody gets it twice.",
        "Ask the recipient. If it did not arrive, press “Try again”.",
    ),
    "mail-refused": Entry(
        "Mail refused",
        "The mail server refuses mail to {recipient}.",
        "Correct the address, in the settings or at the recipient's provider, and press “Try again” where "
        "that is offered.",
    ),
    "mail-address-invalid": Entry(
        "Mail address not valid",
        "Nobody can be written to at {recipient}.",
        "Correct the address in the settings.",
    ),
    "mail-not-configured": Entry(
        "No mail server",
        "This installation has no mail server, so the mail to {recipient} was not sent.",
        "Ask your support partner to set CONNECTOR_SMTP_URL, then press “Try again” where that is offered.",
    ),
    "mail-too-late": Entry(
        "Mail not sent in time",
        "The mail to {recipient} could not be sent for so long that it is of no use any more.",
        "Ask your support partner to look at the mail server, then press “Try again” where that is offered.",
    ),
    "mail-server-unreachable": Entry(
        "Mail server away",
        "The mail server does not answer.",
        "Nothing is to be done: the mail is sent when the server is back.",
    ),
    "mail-server-busy": Entry(
        "Mail server busy",
        "The mail server does not take the mail just now (status {status}).",
        "Nothing is to be done: the mail is sent again in a while.",
    ),
    "mail-login-refused": Entry(
        "Mail server refuses our login",
        "The mail server refuses user and password of this installation (status {status}).",
        "The operator corrects CONNECTOR_SMTP_URL. The mail is sent then.",
    ),
    "mail-server-refuses": Entry(
        "Mail server refuses",
        "The mail server refuses the mail (status {status}).",
        "Correct the address or ask its provider.",
    ),
    "mail-unanswered": Entry(
        "Mail server did not answer",
        "The mail server did not say whether it took the mail.",
        "A person is asked before the mail is sent again.",
    ),
}

# Short words of pages and mails.
PHRASES: frozenset[str] = frozenset(
    {
        "Address",
        "User",
        "Initial password",
        "This message was written by the connector between Arcavis and bexio.",
    }
)
