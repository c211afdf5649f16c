"""What a mail says, in its reader's language, as plain text and as HTML. Pure: values in, message out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, cast
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.core import catalogue
from app.core.catalogue import translate
from app.core.swiss_time import ZURICH

LONGEST_SUBJECT = 150
# As browsers check it (HTML, 4.10.5.1.5): what RFC 5322 allows beyond it, no mail provider gives out.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_HTML = Environment(
    loader=PackageLoader("app.capabilities.mailing"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of mail. `facts` are (phrase, parameter); `link` the parameter of the address it leads to.

    `must_arrive`: without this mail its reader is stuck, so a person is asked when it cannot be delivered.
    """

    facts: tuple[tuple[str, str], ...] = ()
    link: str | None = None
    must_arrive: bool = False


SECRET = "secret"  # noqa: S105 - a parameter's name
_LOGIN = (("Address", "login_url"), ("User", "login_name"))
TEMPLATES: Mapping[str, Template] = {
    "mail-login": Template(_LOGIN, "login_url", must_arrive=True),
    "mail-login-initial": Template((*_LOGIN, ("Initial password", SECRET)), "login_url", must_arrive=True),
    "mail-connection-lost": Template(),
    "mail-token-expires": Template(),
    "mail-digest": Template(),
}
# When the password is gone (mailed, or never fetched), the same mail without it.
WITHOUT_SECRET = {"mail-login-initial": "mail-login"}


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that waits for the reader, and how many of its kind there are."""

    title: str
    detail: str
    remedy: str
    count: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it has a recipient."""

    language: str
    subject: str
    detail: str
    remedy: str
    facts: tuple[tuple[str, str], ...]
    link: str | None
    points: tuple[Point, ...]
    footer: str

    @property
    def text(self) -> str:
        """As plain text."""
        points = [f"{number}. {_counted(point)}\n{point.detail}\n→ {point.remedy}" for number, point in self._numbered]
        facts = "\n".join(f"{label}: {value}" for label, value in self.facts)
        parts = [self.subject, self.detail, *points, facts, self.remedy, f"-- \n{self.footer}"]
        return "\n\n".join(part for part in parts if part) + "\n"

    @property
    def html(self) -> str:
        """As HTML that needs nothing from elsewhere."""
        titles = [(_counted(point), point) for point in self.points]
        return _HTML.get_template("mail.html.j2").render(letter=self, points=titles)

    @property
    def _numbered(self) -> list[tuple[int, Point]]:
        return list(enumerate(self.points, start=1))


def letter(template: str, params: Mapping[str, Any], language: str, secret: str | None) -> Letter:
    """What a mail of this kind says. `params` of a digest hold `items`: `{code, params, count}` each."""
    known = {name: value for name, value in params.items() if isinstance(value, str)}
    if secret is None:
        template = WITHOUT_SECRET.get(template, template)
    shape = TEMPLATES[template]
    values = known if secret is None else {**known, SECRET: secret}
    said = catalogue.text(template, known, language)
    return Letter(
        language=language,
        subject=_one_line(said.title),
        detail=said.detail,
        remedy=said.remedy,
        facts=tuple((translate(phrase, language), values[name]) for phrase, name in shape.facts if name in values),
        link=_safe_link(known.get(shape.link)) if shape.link else None,
        points=tuple(_point(item, language) for item in cast("list[Mapping[str, Any]]", params.get("items", []))),
        footer=translate("This message was written by the connector between Arcavis and bexio.", language),
    )


def message(said: Letter, *, sender: Address, recipient: Address, mail: UUID, now: datetime) -> bytes:
    """The letter as bytes for SMTP. The same mail always has the same Message-ID."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = recipient
    made["Subject"] = said.subject
    made["Date"] = format_datetime(now.astimezone(ZURICH))
    made["Message-ID"] = f"<{mail}@{sender.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    # Not every server on the way takes eight bits.
    made.set_content(said.text, cte="quoted-printable")
    made.add_alternative(said.html, subtype="html", cte="quoted-printable")
    # Only now: what comes before would be taken for a header of the first part.
    made["Content-Language"] = said.language
    return made.as_bytes()


def address(text: str) -> Address:
    """A recipient's address; a domain with umlauts in its ASCII form.

    Raises:
        ValueError: nobody can be written to there.
    """
    local, _, domain = text.rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        plain = ""
    if not _ADDRESS.fullmatch(plain):
        raise ValueError("This is no mail address.")
    return Address(username=local, domain=plain.rpartition("@")[2])


def _point(item: Mapping[str, Any], language: str) -> Point:
    said = catalogue.text(item["code"], item["params"], language)
    return Point(said.title, said.detail, said.remedy, item["count"])


def _counted(point: Point) -> str:
    return point.title if point.count == 1 else f"{point.title} ({point.count}x)"


def _one_line(text: str) -> str:
    """A line break in a subject would begin a new header, and other control characters mean nothing there."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:LONGEST_SUBJECT]


def _safe_link(url: str | None) -> str | None:
    """Only what a browser opens as a page."""
    return url if url is not None and url.startswith(("https://", "http://")) else None
