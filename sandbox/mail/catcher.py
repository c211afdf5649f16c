"""The SMTP side: takes any mail, keeps it, and misbehaves when told to."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from typing import Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOSTNAME: Final = "mail.sandbox.example"


class Mischief(StrEnum):
    """What the server does to a mail."""

    REFUSE_RECIPIENT = "refuse_recipient"
    """550 to RCPT"""
    BUSY_RECIPIENT = "busy_recipient"
    """450 to RCPT, as grey-listing does"""
    REFUSE_MESSAGE = "refuse_message"
    """554 after the message"""
    BUSY_MESSAGE = "busy_message"
    """451 after the message"""
    SILENT = "silent"
    """takes the message and never answers"""
    HANG_UP = "hang_up"
    """takes the message and cuts the connection"""
    HANG_UP_EARLY = "hang_up_early"
    """cuts the connection instead of taking the recipient"""


@dataclass(frozen=True, slots=True)
class Caught:
    """A mail as it arrived; `message` is parsed."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        """The parsed mail."""
        return message_from_bytes(self.content, _class=EmailMessage, policy=default)

    def part(self, kind: str) -> str:
        """The text of the part `plain` or `html`."""
        found = self.message.get_body(preferencelist=(kind,))
        return str(found.get_content()) if found is not None else ""

    @property
    def text(self) -> str:
        """The plain text."""
        return self.part("plain")


class MailCatcher:
    """Keeps what it is given. `mischief` is done to that many mails, in order.

    Args:
        login: user and password that it asks for; None takes anybody.
        tls: a context with a certificate; with it STARTTLS is offered and asked for.
    """

    def __init__(self, *, login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[Caught] = []
        self.mischief: list[Mischief] = []
        self._login = login
        self._tls = tls
        self._over = asyncio.Event()

    def to(self, recipient: str) -> list[Caught]:
        """The mails to one address."""
        return [mail for mail in self.mails if mail.recipient == recipient]

    @contextlib.asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[int]:
        """Serve until the block ends; gives the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self.session, host, port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self._over.set()
            server.close()
            await server.wait_closed()

    def session(self) -> SMTP:
        """A new connection's protocol, for another way of listening."""
        return SMTP(
            self,
            hostname=HOSTNAME,
            ident="sandbox",
            loop=asyncio.get_running_loop(),
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            authenticator=self._authenticate if self._login is not None else None,
            auth_required=self._login is not None,
            auth_require_tls=self._tls is not None,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self._login, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answer RCPT."""
        match self.mischief[0] if self.mischief else None:
            case Mischief.REFUSE_RECIPIENT:
                self.mischief.pop(0)
                return "550 5.1.1 No such user"
            case Mischief.BUSY_RECIPIENT:
                self.mischief.pop(0)
                return "450 4.2.0 Greylisted, come back"
            case Mischief.HANG_UP_EARLY:
                self.mischief.pop(0)
                _cut(server)
                return "421 4.3.0 Good bye"
            case _:
                envelope.rcpt_tos.append(address)
                return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Answer DATA, once the message is there."""
        mischief = self.mischief.pop(0) if self.mischief else None
        if mischief is Mischief.REFUSE_MESSAGE:
            return "554 5.6.0 Message refused"
        if mischief is Mischief.BUSY_MESSAGE:
            return "451 4.3.0 Try again"
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            self.mails.append(Caught(envelope.mail_from or "", recipient, content))
        if mischief is Mischief.SILENT:
            await self._over.wait()
        if mischief is Mischief.HANG_UP:
            _cut(server)
        return "250 OK"


def _cut(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()
