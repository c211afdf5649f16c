"""After a whole provisioning, by webhook and by browser, nothing secret is to be read in database, log or traces."""

from __future__ import annotations

import io

import httpx
from fastapi import APIRouter
from fastapi.routing import APIRoute
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.api import tracing
from app.api.assembly import Options, assemble
from sandbox.arcavis.hosting import KEY as HOSTING_KEY
from sandbox.bexio.app import create_app as create_bexio
from sandbox.bexio.realm import CLIENT_SECRET
from tests.fixtures.leaks import dump, spoken
from tests.fixtures.marketplace import OLD_SECRET, SECRET, Marketplace
from tests.fixtures.person import Person, query_of
from tests.fixtures.shop import BEXIO, KEYS, OPERATOR_KEY


def traced(place: Marketplace) -> tuple[TracerProvider, InMemorySpanExporter, httpx.AsyncClient]:
    """The same routes over the same resources, with traces."""
    exporter = InMemorySpanExporter()
    provider = tracing.provider(exporter)
    assert isinstance(provider, TracerProvider)
    router = APIRouter()
    routes = [one for one in place.shop.app.router.routes if isinstance(one, APIRoute)]
    router.routes.extend(one for one in routes if not one.path.startswith(("/health", "/metrics")))
    app = assemble(place.shop.resources, [router], Options(tracer_provider=provider))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://connector", timeout=60)
    return provider, exporter, client


async def test_no_token_password_or_key_is_in_the_clear(marketplace: Marketplace, written: io.BytesIO) -> None:
    place, shop = marketplace, marketplace.shop
    place.imports = None
    provider, exporter, shop.client = traced(place)
    body = place.activation(place.company())
    secrets = [body["authorization"]["code"], body["authorization"]["code_verifier"]]
    answer = await place.post(body)
    assert answer.status_code == 202, answer.text
    # Between the exchange and the mail, too.
    stored = [await dump(shop.db)]
    transport = httpx.ASGITransport(app=create_bexio(shop.world))
    other = place.company("browser-company")
    async with httpx.AsyncClient(transport=transport, base_url=BEXIO) as bexio:
        person = Person(bexio, shop.client)
        at_bexio = (await person.open("/provision/start?from=apps")).headers["location"]
        secrets += [query_of(at_bexio)["state"], query_of(at_bexio)["nonce"], *person.cookies.values()]
        back = await person.decide(at_bexio, f"{other.id}/1")
        secrets.append(query_of(back)["code"])
        arrived = await person.open(back)
        assert arrived.status_code == 303, arrived.text
        page = await person.open(arrived.headers["location"])
    await place.work()
    assert len(place.environments) == 2
    stored.append(await dump(shop.db))
    for made in shop.arcavis.environments.values():
        secrets += [made["api_password"], made["initial_password"]]
        assert made["initial_password"] not in page.text
    for session in shop.world.realm.sessions.values():
        secrets += [*session.access_tokens, *session.used, session.refresh_token or ""]
    secrets += [CLIENT_SECRET, HOSTING_KEY, OPERATOR_KEY, KEYS.partition(":")[2]]
    secrets += [SECRET.removeprefix("whsec_"), OLD_SECRET.removeprefix("whsec_")]
    provider.force_flush()
    spans = "\n".join(span.to_json() for span in exporter.get_finished_spans())
    provider.shutdown()
    await shop.client.aclose()
    logged = written.getvalue().decode()
    # It was looked at the right things.
    assert "/provision" in spans
    assert "turn-ended" in logged
    assert all("browser-company" in one or "q69vysq7fkzl" in one for one in stored)
    seen = "\n".join([*stored, logged, spans])
    assert len([secret for secret in secrets if secret]) > 16
    assert [secret for secret in secrets if secret and any(form in seen for form in spoken(secret))] == []
    # The mail is the one place where a password is to be read.
    assert all(
        made["initial_password"] in "".join(mail.text for mail in place.catcher.mails)
        for made in shop.arcavis.environments.values()
    )
