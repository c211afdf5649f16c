"""Mail over SMTP, against a real server in this process: what goes out, and what each thing that goes wrong means."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.connectors.mail import Envelope, Mailer, MailServer, mail_server, sender_address
from app.core.clock import SystemClock
from app.core.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from app.db.session import Database
from sandbox.mail.catcher import MailCatcher, Mischief

SENDER = sender_address("Arcavis <connector@shop.example>")
RECIPIENT = Address(addr_spec="max@muster.example")
MESSAGE = b"Subject: Gr\xc3\xbcezi\r\n\r\nHello.\r\n.\r\nStill here.\r\n"


async def hand_over(mailer: Mailer, envelope: Envelope | None = None) -> None:
    clock = SystemClock()
    async with mailer.envelope(RECIPIENT) as opened:
        await (envelope or opened).send(MESSAGE, not_after=clock.now() + timedelta(seconds=8), clock=clock)


@asynccontextmanager
async def caught(
    catcher: MailCatcher, scheme: str = "smtp", *, tls: ssl.SSLContext | None = None, login: tuple[str, str] = ("", "")
) -> AsyncGenerator[Mailer]:
    async with catcher.listening() as port:
        username, password = login
        yield Mailer(MailServer(scheme, "127.0.0.1", port, username or None, password or None), SENDER, tls)


@pytest.fixture
def catcher() -> MailCatcher:
    return MailCatcher()


async def test_a_message_arrives_as_it_was_handed_over(catcher: MailCatcher) -> None:
    async with caught(catcher) as mailer:
        await hand_over(mailer)
    (mail,) = catcher.mails
    assert (mail.sender, mail.recipient) == ("connector@shop.example", "max@muster.example")
    assert mail.content == MESSAGE


@pytest.mark.parametrize(
    ("mischief", "error", "code"),
    [
        (Mischief.REFUSE_RECIPIENT, RemoteRejected, "mail-server-refuses"),
        (Mischief.BUSY_RECIPIENT, RemoteUnavailable, "mail-server-busy"),
        (Mischief.HANG_UP_EARLY, RemoteUnavailable, "mail-server-"),
        (Mischief.REFUSE_MESSAGE, RemoteRejected, "mail-server-refuses"),
        (Mischief.BUSY_MESSAGE, RemoteUnavailable, "mail-server-busy"),
        (Mischief.HANG_UP, OutcomeUnknown, "mail-unanswered"),
    ],
)
async def test_what_goes_wrong_says_whether_the_mail_was_taken(
    catcher: MailCatcher, mischief: Mischief, error: type[Exception], code: str
) -> None:
    catcher.mischief = [mischief]
    async with caught(catcher) as mailer:
        with pytest.raises(error, match=code):
            await hand_over(mailer)
    assert len(catcher.mails) == (1 if mischief is Mischief.HANG_UP else 0)


async def test_a_server_that_is_away_surely_took_nothing() -> None:
    with pytest.raises(RemoteUnavailable, match="mail-server-unreachable"):
        await hand_over(Mailer(MailServer("smtp", "127.0.0.1", 1), SENDER))


async def test_an_intent_that_is_too_old_is_not_sent(catcher: MailCatcher) -> None:
    clock = SystemClock()
    async with caught(catcher) as mailer, mailer.envelope(RECIPIENT) as envelope:
        with pytest.raises(RemoteUnavailable, match="intent-too-old"):
            await envelope.send(MESSAGE, not_after=clock.now() - timedelta(seconds=1), clock=clock)
    assert catcher.mails == []


async def test_no_mail_is_sent_inside_a_transaction(
    catcher: MailCatcher, shop_database: tuple[object, Database]
) -> None:
    async with caught(catcher) as mailer, shop_database[1].begin_system():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await hand_over(mailer)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.fromtimestamp(0, UTC) + timedelta(days=365 * 50)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365 * 60))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_starttls_encrypts_before_the_password_is_said(certificate: Path) -> None:
    catcher = MailCatcher(login=("user", "pass word"), tls=serving(certificate))
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with caught(catcher, "starttls", tls=trusting, login=("user", "pass word")) as mailer:
        await hand_over(mailer)
    assert len(catcher.mails) == 1


async def test_a_certificate_that_nobody_vouches_for_ends_it(certificate: Path) -> None:
    catcher = MailCatcher(tls=serving(certificate))
    async with caught(catcher, "starttls") as mailer:
        with pytest.raises(RemoteUnavailable, match="mail-server-unreachable"):
            await hand_over(mailer)
    assert catcher.mails == []


async def test_a_server_without_tls_gets_nothing_when_tls_is_asked_for(catcher: MailCatcher) -> None:
    async with caught(catcher, "starttls") as mailer:
        with pytest.raises(RemoteUnavailable, match="mail-server-unreachable"):
            await hand_over(mailer)
    assert catcher.mails == []


async def test_a_refused_login_says_so_without_the_password(certificate: Path) -> None:
    catcher = MailCatcher(login=("user", "right"), tls=serving(certificate))
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with caught(catcher, "starttls", tls=trusting, login=("user", "wrong-secret")) as mailer:
        assert "wrong-secret" not in repr(mailer)
        with pytest.raises(RemoteUnavailable, match="mail-login-refused") as caught_error:
            await hand_over(mailer)
    assert "wrong-secret" not in str(caught_error.value)


async def test_smtps_is_encrypted_from_the_first_byte(certificate: Path) -> None:
    catcher = MailCatcher()
    trusting = ssl.create_default_context(cafile=str(certificate))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(catcher.session, "127.0.0.1", 0, ssl=serving(certificate))
    async with server:
        port = server.sockets[0].getsockname()[1]
        await hand_over(Mailer(MailServer("smtps", "127.0.0.1", port), SENDER, trusting))
    assert len(catcher.mails) == 1


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://me:p%40ss@mail.example", MailServer("smtps", "mail.example", 465, "me", "p@ss")),
        ("starttls://me:x@mail.example", MailServer("starttls", "mail.example", 587, "me", "x")),
        ("smtp://relay.example:2525", MailServer("smtp", "relay.example", 2525)),
        ("smtp://me:x@127.0.0.1", MailServer("smtp", "127.0.0.1", 25, "me", "x")),
        ("smtp://me:x@localhost", MailServer("smtp", "localhost", 25, "me", "x")),
    ],
)
def test_a_url_says_how_mail_goes_out(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize(
    "url", ["smtp://me:topsecret@mail.example", "http://me:topsecret@x", "smtps://", "me:topsecret", "smtp://h:nine"]
)
def test_a_url_that_will_not_do_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError, match="CONNECTOR_SMTP_URL") as refused:
        mail_server(url)
    assert "topsecret" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "nobody", "a@b\r\nBcc: c@d", "Name <>"])
def test_a_sender_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CONNECTOR_MAIL_FROM"):
        sender_address(text)
