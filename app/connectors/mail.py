"""Outgoing mail over SMTP: one message to one recipient, and errors by what to do next.

SMTP knows no idempotency: a message whose acceptance was never answered may have been delivered. So a delivery has two
parts, and between them its caller commits that it is about to hand the message over.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from app.core.clock import Clock
from app.core.errors import OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable
from app.db.session import inside_transaction

SYSTEM = "mail"
STEP_SECONDS = 20.0
# From the greeting to the message's acceptance; servers that scan contents take their time with the last step.
LONGEST_DELIVERY = 120.0
BUSY_SECONDS = 300.0
LOGIN_REFUSED_SECONDS = 900.0
_PERMANENT = 500
_PORTS = {"smtp": 25, "starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. `scheme` says how it is encrypted: `smtps` at once, `starttls` always, `smtp` not at all."""

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_server(url: str) -> MailServer:
    """Reads `smtps://user:password@host:465`, `starttls://...` or, without a password, `smtp://...`.

    Raises:
        ValueError: it is none of these, or would send a password in the clear. The text shows no secret.
    """
    try:
        parsed = urlsplit(url)
        port = parsed.port
    except ValueError:
        raise ValueError("CONNECTOR_SMTP_URL is no URL.") from None
    if parsed.scheme not in _PORTS or not parsed.hostname:
        raise ValueError("CONNECTOR_SMTP_URL begins with smtps://, starttls:// or smtp:// and names a host.")
    username = unquote(parsed.username) if parsed.username else None
    password = unquote(parsed.password) if parsed.password else None
    if password is not None and parsed.scheme == "smtp" and not _is_this_machine(parsed.hostname):
        raise ValueError("CONNECTOR_SMTP_URL would send a password unencrypted: use smtps:// or starttls://.")
    return MailServer(parsed.scheme, parsed.hostname, port or _PORTS[parsed.scheme], username, password)


def sender_address(text: str) -> Address:
    """Reads `Name <local@domain>` or `local@domain`.

    Raises:
        ValueError: it holds no address.
    """
    name, address = parseaddr(text)
    try:
        if text.isprintable():
            return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError):
        pass
    raise ValueError("CONNECTOR_MAIL_FROM is no mail address.")


class Envelope:
    """A delivery that the server is ready for: sender and recipient are accepted, the message is not sent."""

    def __init__(self, smtp: SMTP) -> None:
        self._smtp = smtp

    async def send(self, message: bytes, *, not_after: datetime, clock: Clock) -> None:
        """Hands the message over. Once at most: when the answer stays out, nobody knows.

        `not_after` is how long the intent that was committed counts.

        Raises:
            RemoteUnavailable: the server says that it did not take it, and may later.
            RemoteRejected: `mail-server-refuses`, it will not take it.
            OutcomeUnknown: `mail-unanswered`.
        """
        if clock.now() > not_after:
            raise RemoteUnavailable("intent-too-old", SYSTEM)
        try:
            async with asyncio.timeout(LONGEST_DELIVERY):
                await self._smtp.data(message)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError, TimeoutError) as error:
            raise OutcomeUnknown("mail-unanswered", SYSTEM, cause=type(error).__name__) from error
        except SMTPResponseException as error:
            raise _refused(error) from error


@dataclass(frozen=True, slots=True)
class Mailer:
    """The way out for mail. `server` None: this installation sends none. `tls` None: the system's authorities."""

    server: MailServer | None
    sender: Address
    tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def envelope(self, recipient: Address) -> AsyncGenerator[Envelope]:
        """Goes to the server and names sender and recipient; nothing is sent so far.

        Raises:
            RemoteUnavailable: no server is set, it is away, busy, or refuses our login.
            RemoteRejected: `mail-server-refuses`, it refuses the recipient or us as sender.
        """
        if inside_transaction():
            raise RuntimeError("No network inside a transaction: leave the block first.")
        if self.server is None:
            raise RemoteUnavailable("mail-server-unreachable", SYSTEM, LOGIN_REFUSED_SECONDS)
        smtp = self._client(self.server)
        try:
            with _named():
                await smtp.connect()
                await smtp.mail(self.sender.addr_spec)
                await smtp.rcpt(recipient.addr_spec)
            yield Envelope(smtp)
            await _leave(smtp)
        finally:
            smtp.close()

    def _client(self, server: MailServer) -> SMTP:
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=self.sender.domain,
            timeout=STEP_SECONDS,
            use_tls=server.scheme == "smtps",
            start_tls=server.scheme == "starttls",
            tls_context=self.tls,
        )


@contextmanager
def _named() -> Generator[None]:
    """What goes wrong before the message is sent surely sent nothing."""
    try:
        yield
    except SMTPAuthenticationError as error:
        raise RemoteUnavailable("mail-login-refused", SYSTEM, LOGIN_REFUSED_SECONDS, status=error.code) from error
    except SMTPRecipientRefused as error:
        raise _refused(error) from error
    except SMTPResponseException as error:
        raise _refused(error) from error
    except (SMTPException, OSError, TimeoutError, ValueError) as error:
        # ValueError: a greeting or certificate that makes no sense.
        raise RemoteUnavailable("mail-server-unreachable", SYSTEM, cause=type(error).__name__) from error


def _refused(error: SMTPResponseException) -> RemoteError:
    """A 4yz passes, a 5yz stays; the server's words may name people, so only its number is kept."""
    if error.code >= _PERMANENT:
        return RemoteRejected("mail-server-refuses", SYSTEM, error.code)
    return RemoteUnavailable("mail-server-busy", SYSTEM, BUSY_SECONDS, status=error.code)


async def _leave(smtp: SMTP) -> None:
    """The message is accepted; how the server says good-bye changes nothing."""
    try:
        await smtp.quit(timeout=STEP_SECONDS)
    except (SMTPException, OSError, TimeoutError):
        return


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
