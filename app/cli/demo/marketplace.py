"""A company activates Arcavis in bexio Apps: the marketplace's signed webhook, and the shop that comes of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from standardwebhooks import Webhook

from app.cli.demo.http import Caller
from app.cli.demo.stage import Stage
from app.cli.failures import CommandFailed
from app.connectors.oidc.scopes import NEEDED, STOCK

ADMIN = {"email": "max@feinkost.example", "first_name": "Max", "last_name": "Muster", "language": "de"}
PATIENCE_SECONDS, MAIL_SECONDS = 90.0, 20.0
_POLL_SECONDS = 0.3
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_OPTION = re.compile(r'<option value="([^"]+)">')
_OVER = frozenset({"done", "refused", "failed"})

Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Activated:
    """What the marketplace and the admin got: the steps with their figures, the mail, where the shop is."""

    provision: Mapping[str, Any]
    mails: list[Mapping[str, Any]]
    seconds: float
    again: bool
    """Whether the marketplace's repeat was answered as its first call."""


async def activate(stage: Stage, told: Progress) -> Activated:
    """Signs the webhook as the marketplace does, twice, and watches until the shop is ready.

    Raises:
        CommandFailed: it is refused, or does not come to an end.
    """
    started = time.monotonic()
    body = json.dumps(await _activation(stage)).encode()
    first = await _send(stage, body)
    again = await _send(stage, body)
    shown = await _watch(stage, first["provision_id"], told)
    mails = await _mails(stage)
    seconds = time.monotonic() - started
    return Activated(shown, mails, seconds, again["provision_id"] == first["provision_id"])


async def _mails(stage: Stage) -> list[Mapping[str, Any]]:
    """What was mailed. A mail is work of its own: the shop is ready a moment before it is out."""
    until = time.monotonic() + MAIL_SECONDS
    mails: Any = await stage.mail.get("/messages")
    while not mails and time.monotonic() < until:
        await asyncio.sleep(_POLL_SECONDS)
        mails = await stage.mail.get("/messages")
    return list(mails)


async def _activation(stage: Stage) -> dict[str, object]:
    """The webhook's body, with a code that the company's admin allowed."""
    verifier = secrets.token_urlsafe(48)
    code = await _code(stage, verifier)
    return {
        "activation_id": f"act_{secrets.token_hex(8)}",
        "company": {"id": stage.access["company_id"], "name": "Feinkost Zürihorn AG"},
        "admin": ADMIN,
        "authorization": {"code": code, "redirect_uri": stage.marketplace_uri, "code_verifier": verifier},
    }


async def _code(stage: Stage, verifier: str) -> str:
    """Signs in at bexio and allows, as a person with a browser does."""
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": stage.access["client_id"],
        "redirect_uri": stage.marketplace_uri,
        "scope": " ".join((*NEEDED, STOCK)),
        "state": secrets.token_urlsafe(16),
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    path = f"{urlsplit(str(stage.access['issuer_url'])).path}/protocol/openid-connect/auth"
    realm = Caller(stage.bexio.url)
    page = await realm.page("GET", f"{path}?{urlencode(asked)}")
    form = {name: unescape(value) for name, value in _HIDDEN.findall(page.text)}
    member = next(one for one in _OPTION.findall(page.text) if one.startswith(f"{stage.access['company_id']}/"))
    allowed = await realm.page("POST", path, {**form, "member": unescape(member), "decision": "allow"})
    return parse_qs(urlsplit(allowed.headers["location"]).query)["code"][0]


async def _send(stage: Stage, body: bytes) -> Mapping[str, Any]:
    name, now = f"msg_{secrets.token_hex(8)}", datetime.fromtimestamp(time.time(), UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(stage.marketplace_secret).sign(name, now, body.decode()),
    }
    anybody = Caller(stage.operator.url)
    return await anybody.send("POST", "/provision", json.loads(body), **headers)


async def _watch(stage: Stage, provision: str, told: Progress) -> Mapping[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        stage.check()
        shown: Any = await stage.operator.get(f"/provision/{provision}")
        told(shown)
        if shown["status"] == "done":
            return shown
        if shown["status"] in _OVER or time.monotonic() > deadline:
            why = shown["reason"] or {"title": f"It stays {shown['status']}", "remedy": ""}
            raise CommandFailed(f"The shop was not made: {why['title']}. {why['remedy']} Logs: {stage.folder}.")
        await asyncio.sleep(_POLL_SECONDS)
