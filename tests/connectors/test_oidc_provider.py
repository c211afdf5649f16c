"""Discovery and keys: how long they are kept, and what is not believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from app.connectors.clients import HttpClients, Upstream
from app.connectors.oidc.provider import Provider
from app.connectors.transport import Transport
from app.core.errors import RemoteRejected, RemoteUnavailable
from tests.connectors.conftest import ManualClock

HOST = "https://auth.bexio.test"
ISSUER = f"{HOST}/realms/bexio"
DISCOVERY, CERTS = "/realms/bexio/.well-known/openid-configuration", "/realms/bexio/certs"
KEY = RSAKey.generate_key(2048)
KEY.ensure_kid()


@dataclass
class Realm:
    """A provider's two documents, and who asked for them."""

    clock: ManualClock
    document: dict[str, Any] = field(
        default_factory=lambda: {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/certs",
            "revocation_endpoint": f"{ISSUER}/revoke",
        }
    )
    keys: list[Any] = field(default_factory=lambda: [KEY.as_dict(private=False)])
    status: int = 200
    asked: list[str] = field(default_factory=list[str])

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        assert "authorization" not in request.headers
        body = {DISCOVERY: self.document, CERTS: {"keys": self.keys}}[request.url.path]
        return httpx.Response(self.status, json=body)

    def provider(self) -> Provider:
        clients = HttpClients(lambda _: httpx.MockTransport(self.answer))
        upstream = Upstream("bexio", "sign-in", HOST)
        return Provider(ISSUER, Transport(upstream, clients, self.clock, "", jitter=lambda: 0.0), self.clock)


@pytest.fixture
def realm(clock: ManualClock) -> Realm:
    return Realm(clock)


async def test_both_documents_are_read_once_an_hour(realm: Realm) -> None:
    provider = realm.provider()
    for _ in range(3):
        await provider.keys()
    assert realm.asked == [DISCOVERY, CERTS]
    realm.clock.pass_time(3601)
    await provider.keys()
    assert realm.asked == [DISCOVERY, CERTS] * 2


async def test_an_unknown_key_makes_us_read_again_but_not_at_everybodys_will(realm: Realm) -> None:
    provider = realm.provider()
    await provider.keys()
    realm.clock.pass_time(31)
    for _ in range(5):
        await provider.keys(again=True)
    assert realm.asked.count(CERTS) == 2


async def test_while_bexio_is_away_what_is_known_serves_for_a_day(realm: Realm) -> None:
    provider = realm.provider()
    known = await provider.metadata()
    realm.status = 503
    realm.clock.pass_time(3601)
    assert await provider.metadata() == known
    realm.clock.pass_time(24 * 3600)
    with pytest.raises(RemoteUnavailable):
        await provider.metadata()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://evil.test/realms/bexio"),
        ("issuer", f"{ISSUER}/"),
        ("token_endpoint", "https://evil.test/token"),
        ("token_endpoint", "http://auth.bexio.test/realms/bexio/token"),
        ("token_endpoint", "https://auth.bexio.test:8443/token"),
        ("token_endpoint", "https://user@auth.bexio.test/token"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("jwks_uri", "https://169.254.169.254/certs"),
        ("userinfo_endpoint", f"{ISSUER}/userinfo?to=evil"),
        ("revocation_endpoint", "https://evil.test/revoke"),
        ("jwks_uri", "http://["),
    ],
)
async def test_a_document_that_points_elsewhere_is_not_believed(realm: Realm, name: str, value: str) -> None:
    realm.document[name] = value
    with pytest.raises(RemoteRejected) as caught:
        await realm.provider().metadata()
    assert (caught.value.code, caught.value.params["reason"]) == ("sign-in-provider-unusable", name)


@pytest.mark.parametrize("missing", ["issuer", "token_endpoint", "jwks_uri"])
async def test_half_a_document_is_none(realm: Realm, missing: str) -> None:
    del realm.document[missing]
    with pytest.raises(RemoteRejected):
        await realm.provider().metadata()


async def test_only_public_keys_for_signatures_are_used(realm: Realm) -> None:
    secret = OctKey.generate_key(256).as_dict(private=True)
    encryption = {**RSAKey.generate_key(2048).as_dict(private=False), "use": "enc"}
    private = RSAKey.generate_key(2048).as_dict(private=True)
    odd: list[dict[str, Any]] = [{"kty": "RSA", "n": "!", "e": "AQAB"}, {"kty": "new"}, {}]
    realm.keys = [secret, encryption, private, *odd, KEY.as_dict(private=False)]
    assert [key.kid for key in await realm.provider().keys()] == [KEY.kid]
    realm.keys = [secret]
    with pytest.raises(RemoteRejected):
        await realm.provider().keys()
