"""The whole sandbox: a simulated bexio and Arcavis, seeded with the same shop, on one clock, and a mail catcher."""

import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.arcavis.app import create_app as create_arcavis
from sandbox.arcavis.hosting import KEY as HOSTING_KEY
from sandbox.arcavis.seed import seed_shop as seed_arcavis
from sandbox.arcavis.world import World as ArcavisWorld
from sandbox.bexio.app import create_app as create_bexio
from sandbox.bexio.openid.endpoints import PREFIX as ISSUER_PATH
from sandbox.bexio.seed import seed_shop as seed_bexio
from sandbox.bexio.world import World as BexioWorld
from sandbox.mail.app import create_app as create_mail
from sandbox.mail.catcher import MailCatcher
from sandbox.sales import sales_routes
from sandbox.seeding import BEXIO_ACTIONS, seeding_routes
from sandbox.serving import serve

REDIRECT_URI = "http://127.0.0.1:8800/oauth/bexio/callback"
TOKEN_LIFETIME = timedelta(days=180)
_ARCAVIS, _BEXIO, _MAIL = "arcavis", "bexio", "mail"


@dataclass(frozen=True, slots=True)
class Access:
    """Where the simulators answer and with what; `arcavis_url` is the tenant's base URL, `mail_url` shows mails."""

    bexio_url: str
    bexio_token: str = field(repr=False)
    arcavis_url: str
    arcavis_username: str
    arcavis_password: str = field(repr=False)
    company_id: str
    issuer_url: str
    client_id: str
    client_secret: str = field(repr=False)
    hosting_url: str = ""
    hosting_key: str = field(repr=False, default="")
    smtp_url: str = ""
    mail_url: str = ""


def machine_time() -> datetime:
    """The time of this machine, for a sandbox that people look at."""
    return datetime.fromtimestamp(time.time(), UTC)


class SandboxServer:
    """Both simulators with the demo shop; `bexio` and `arcavis` are their worlds, to look at and change.

    Args:
        now: the clock of both; gives aware datetimes.
        host: where they listen.
        bexio_port: 0 takes a free one.
        arcavis_port: likewise.
        redirect_uris: what the application may be called back at; more by the control API.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = machine_time,
        *,
        host: str = "127.0.0.1",
        bexio_port: int = 0,
        arcavis_port: int = 0,
        redirect_uris: Sequence[str] = (REDIRECT_URI,),
    ) -> None:
        self._host = host
        self._ports = {_BEXIO: bexio_port, _ARCAVIS: arcavis_port}
        self.mail = MailCatcher()
        self.bexio = BexioWorld(now)
        self.arcavis = ArcavisWorld(now)
        self.company = seed_bexio(self.bexio)
        self.tenant = seed_arcavis(self.arcavis)
        self.client = self.bexio.realm.register(*redirect_uris)
        expires_at = now() + TOKEN_LIFETIME
        self.token = personal_access_token(self.company.id, expires_at)
        self.bexio.add_token(self.company.id, self.token, expires_at=expires_at)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[Access]:
        """Serve all of it in the current event loop until the block ends.

        Raises:
            OSError: when a port is taken.
        """
        apps = {
            _BEXIO: create_bexio(self.bexio, served=True, more_actions=BEXIO_ACTIONS),
            _ARCAVIS: create_arcavis(self.arcavis, [*sales_routes(self.arcavis), *seeding_routes(self.arcavis)]),
            _MAIL: create_mail(self.mail),
        }
        async with serve(apps, self._host, self._ports) as urls, self.mail.listening(self._host) as smtp_port:
            yield Access(
                bexio_url=urls[_BEXIO],
                bexio_token=self.token,
                arcavis_url=f"{urls[_ARCAVIS]}/{self.tenant.slug}",
                arcavis_username=self.tenant.user.username,
                arcavis_password=self.tenant.user.password,
                company_id=self.company.id,
                issuer_url=f"{urls[_BEXIO]}{ISSUER_PATH}",
                client_id=self.client.id,
                client_secret=self.client.secret,
                hosting_url=f"{urls[_ARCAVIS]}/hosting",
                hosting_key=HOSTING_KEY,
                smtp_url=f"smtp://{self._host}:{smtp_port}",
                mail_url=urls[_MAIL],
            )


def personal_access_token(company_id: str, expires_at: datetime) -> str:
    """A bearer token that, like bexio's, is a JWT whose `exp` tells when it ends."""
    claims = {"company_id": company_id, "exp": int(expires_at.timestamp())}
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.digest(b"simulated bexio", signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64(signature)}"


def _part(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
