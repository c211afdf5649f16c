"""A whole new shop: a company of very many contacts and articles activates, and its progress is watched to the end.

Its time stands against what its requests would take alone, one after the other: each system's requests, times what one
request to that system takes. Below 1 it does several at once; far above, it spends its time elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from benchmarks import database
from benchmarks.report import Figure, Result
from benchmarks.shops import MONTH_DAYS, never_analyse, service, simulators
from benchmarks.stage import Stage

CONTACTS, ARTICLES = 10_000, 2_000
SECRET = base64.b64encode(b"the secret of the benchmarks").decode()
REDIRECT_URI = "http://127.0.0.1:8800/oauth/bexio/callback"
SCOPES = (
    "openid profile email company_profile offline_access contact_edit article_show kb_invoice_edit kb_order_show"
    " accounting bank_account_show stock_edit"
)
POLL_SECONDS = 0.25
MOST_SECONDS = 3600.0
PROBES = 100
SLOWNESS = 0.02
"""What both systems take for each answer, so that it is requests that count and not this machine."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Seconds to the end, how often progress went back, and how many different figures were seen."""

    seconds: float
    went_back: int
    seen: int
    final: dict[str, Any]


async def measure(stage: Stage, contacts: int = CONTACTS, articles: int = ARTICLES) -> Result:
    """One provisioning, on a database that was never analysed."""
    async with database.fresh_database(stage.server) as made, simulators() as access:
        await never_analyse(made)
        arcavis_url = access["arcavis_url"].rpartition("/")[0]
        more = {
            "CONNECTOR_BEXIO_ISSUER_URL": access["issuer_url"],
            "CONNECTOR_BEXIO_CLIENT_ID": access["client_id"],
            "CONNECTOR_BEXIO_CLIENT_SECRET": access["client_secret"],
            "CONNECTOR_MARKETPLACE_SECRET": f"whsec_{SECRET}",
            "CONNECTOR_ARCAVIS_HOSTING_URL": access["hosting_url"],
            "CONNECTOR_ARCAVIS_HOSTING_KEY": access["hosting_key"],
            "CONNECTOR_SMTP_URL": access["smtp_url"],
            "CONNECTOR_MAIL_FROM": "connector@bench.example",
        }
        async with (
            service(stage, made, access["bexio_url"], more) as (_, url),
            httpx.AsyncClient(base_url=url, timeout=60) as ours,
            httpx.AsyncClient(base_url=access["bexio_url"], timeout=600) as bexio,
            httpx.AsyncClient(base_url=arcavis_url, timeout=600) as arcavis,
        ):
            company = access["company_id"]
            await _fill(bexio, company, contacts, articles)
            await bexio.post("/_sandbox/faults", json={"mode": "latency", "seconds": SLOWNESS})
            await arcavis.post("/_sandbox/faults", json={"kind": "latency", "seconds": SLOWNESS, "times": None})
            floors = {"bexio": await _bare(bexio, "/2.0/contact"), "arcavis": await _bare(arcavis, "/demo/api/stores")}
            for simulator in (bexio, arcavis):
                (await simulator.delete("/_sandbox/requests")).raise_for_status()
            body = await _activation(access, company)
            watched = await _watch(ours, await _post(ours, body))
            asked = {
                "bexio": sum((await bexio.get("/_sandbox/requests")).json()["by_route"].values()),
                "arcavis": (await arcavis.get("/_sandbox/requests")).json()["total"],
            }
    floor = sum(asked[system] * floors[system] for system in asked)
    figures = [
        Figure("progress went back", watched.went_back, "", 0),
        Figure("progress at the end", watched.final["progress"], "%", 100, more_is_better=True),
        Figure("different figures seen", watched.seen, "", more_is_better=True),
        Figure("seconds against the sum of its requests' floors", watched.seconds / floor, "x", 1.0),
        Figure("seconds", watched.seconds, "s"),
        *(Figure(f"requests to {system}", count, "") for system, count in asked.items()),
        *(Figure(f"floor of a request to {system}", seconds * 1000, "ms") for system, seconds in floors.items()),
    ]
    counts = {step["name"]: step["counts"] for step in watched.final["steps"] if step["counts"]}
    return Result("provision", figures, [f"{contacts:,} contacts, {articles:,} articles: {counts}"])


async def _fill(bexio: httpx.AsyncClient, company: str, contacts: int, articles: int) -> None:
    for action, body in (
        ("seed-people", {"count": contacts, "seed": 1, "age_days": MONTH_DAYS}),
        ("seed-articles", {"count": articles, "seed": 1}),
    ):
        (await bexio.post(f"/_sandbox/actions/{action}", json={"company": company, **body})).raise_for_status()
    (await bexio.post("/_sandbox/limits", json={"enabled": False})).raise_for_status()


async def _bare(simulator: httpx.AsyncClient, path: str) -> float:
    """What a request takes alone: the median of many, one after the other over one connection."""
    taken: list[float] = []
    for _ in range(PROBES):
        began = time.perf_counter()
        await simulator.get(path)
        taken.append(time.perf_counter() - began)
    return median(taken)


async def _activation(access: dict[str, Any], company: str) -> bytes:
    """The webhook's body, with a code that the marketplace got by consent."""
    verifier = secrets.token_urlsafe(40)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    form = {
        "client_id": access["client_id"],
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": SCOPES,
        "state": "bench",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "member": f"{company}/1",
        "decision": "allow",
    }
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(f"{access['issuer_url']}/protocol/openid-connect/auth", data=form)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    return json.dumps(
        {
            "activation_id": "act_bench",
            "company": {"id": company, "name": "Bench AG"},
            "admin": {"email": "max@bench.example", "first_name": "Max", "last_name": "Muster", "language": "de"},
            "authorization": {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": verifier},
        }
    ).encode()


async def _post(ours: httpx.AsyncClient, body: bytes) -> str:
    stamp = str(int(time.time()))
    digest = hmac.digest(base64.b64decode(SECRET), f"msg_bench.{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": "msg_bench",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    answer = (await ours.post("/provision", content=body, headers=headers)).raise_for_status()
    return answer.json()["provision_id"]


async def _watch(ours: httpx.AsyncClient, provision: str) -> Watched:
    """Looks until it is over, as the page does."""
    began, before, went_back = time.monotonic(), 0, 0
    seen: set[int] = set()
    while time.monotonic() - began < MOST_SECONDS:
        found = (await ours.get(f"/provision/{provision}")).raise_for_status().json()
        went_back += found["progress"] < before
        before = found["progress"]
        seen.add(before)
        if found["status"] == "done":
            return Watched(time.monotonic() - began, went_back, len(seen), found)
        if found["status"] in {"refused", "failed"}:
            raise RuntimeError(f"the provisioning {found['status']}: {found['reason']}")
        await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError("the provisioning does not end")
