"""The realm: consent, codes, tokens that work once, and what the control API does to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.bexio.app import create_app
from sandbox.bexio.realm import CLIENT_ID, CLIENT_SECRET, challenge_of
from tests.fixtures.person import Person, query_of
from tests.sandbox.bexio_shop import Body, Shop

BACK = "https://connector.test/oauth/bexio/callback"
REALM = "/realms/bexio"
CONNECT = f"{REALM}/protocol/openid-connect"
SCOPES = "openid profile email company_profile offline_access contact_show kb_invoice_edit"
VERIFIER = "v" * 64


@dataclass
class Application:
    """An application that was registered, and the person in front of it."""

    shop: Shop
    client: httpx.AsyncClient
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        self.person = Person(self.client, self.client)

    def url(self, **changes: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": BACK,
            "scope": SCOPES,
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        return f"{CONNECT}/auth?{urlencode(asked)}"

    async def code(self, **changes: str) -> str:
        back = await self.person.decide(self.url(**changes), f"{self.shop.company.id}/1")
        return query_of(back)["code"]

    async def token(self, **form: str) -> httpx.Response:
        credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return await self.client.post(f"{CONNECT}/token", data=credentials | form)

    async def exchange(self, text: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": text, "redirect_uri": BACK, "code_verifier": VERIFIER}
        return await self.token(**(form | changes))

    async def tokens(self) -> Body:
        answer = await self.exchange(await self.code())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refresh(self, token: str) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=token)

    async def api(self, token: str, path: str = "/2.0/contact") -> int:
        return (await self.client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code


@pytest.fixture
async def application() -> AsyncGenerator[Application]:
    shop = Shop()
    shop.world.realm.register(BACK)
    transport = httpx.ASGITransport(create_app(shop.world))
    async with httpx.AsyncClient(transport=transport, base_url="https://bexio.test") as client:
        yield Application(shop, client)


async def test_a_consent_gives_tokens_of_the_chosen_company_and_a_proof_that_the_published_keys_verify(
    application: Application,
) -> None:
    back = await application.person.decide(application.url(), f"{application.shop.company.id}/1")
    assert back.startswith(f"{BACK}?")
    assert (query_of(back)["state"], query_of(back)["iss"]) == ("s-1", f"https://bexio.test{REALM}")
    tokens = (await application.exchange(query_of(back)["code"])).json()
    keys = KeySet.import_key_set((await application.client.get(f"{CONNECT}/certs")).json())
    claims: dict[str, Any] = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    known = {name: claims[name] for name in ("aud", "nonce", "company_id", "company_user_id", "given_name")}
    company = application.shop.company.id
    assert known == {
        "aud": CLIENT_ID,
        "nonce": "n-1",
        "company_id": company,
        "company_user_id": 1,
        "given_name": "Max",
    }
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = (await application.client.get(f"{CONNECT}/userinfo", headers=bearer)).json()
    assert (userinfo["sub"], userinfo["company_id"]) == (claims["sub"], company)
    assert (await application.client.get(f"{CONNECT}/userinfo")).status_code == 401


async def test_who_denies_or_is_asked_wrongly_comes_back_without_a_code(application: Application) -> None:
    denied = await application.person.decide(application.url(), f"{application.shop.company.id}/1", "deny")
    assert query_of(denied)["error"] == "access_denied"
    for changes, error in (
        ({"scope": "contact_show"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ):
        answer = await application.client.get(application.url(**changes))
        assert query_of(answer.headers["location"])["error"] == error


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?a=1"},
        {"redirect_uri": "https://evil.test"},
        {"client_id": "another"},
    ],
)
async def test_nobody_is_sent_to_an_address_that_was_not_registered(
    application: Application, changes: dict[str, str]
) -> None:
    answer = await application.client.get(application.url(**changes))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert (await application.client.post(f"{CONNECT}/auth", data=changes)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "another"},
        {"redirect_uri": "https://evil.test"},
        {"code_verifier": "w" * 64},
        {"client_secret": "no"},
        {"grant_type": "password"},
    ],
)
async def test_a_code_is_bound_to_application_address_and_verifier(
    application: Application, changes: dict[str, str]
) -> None:
    code = await application.code()
    refused = await application.exchange(code, **changes)
    assert refused.status_code == (401 if "client_secret" in changes else 400)
    assert (await application.exchange(code)).status_code == 200


async def test_a_code_works_once_for_a_minute_and_twice_ends_what_it_had_opened(application: Application) -> None:
    code = await application.code()
    tokens = (await application.exchange(code)).json()
    assert (await application.exchange(code)).json()["error"] == "invalid_grant"
    assert (await application.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    late = await application.code()
    application.shop.time += timedelta(seconds=61)
    assert (await application.exchange(late)).json()["error"] == "invalid_grant"


async def test_parameters_in_the_query_and_bodies_that_are_no_form_are_refused(application: Application) -> None:
    in_query = await application.client.post(f"{CONNECT}/token?grant_type=refresh_token")
    as_json = await application.client.post(f"{CONNECT}/token", json={"grant_type": "refresh_token"})
    assert [in_query.status_code, as_json.status_code] == [400, 400]


async def test_a_refresh_token_works_once_and_a_second_use_ends_the_session(application: Application) -> None:
    first = await application.tokens()
    second = (await application.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await application.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await application.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_how_strict_the_realm_is_can_be_chosen(application: Application) -> None:
    for reuse, expected in (("single_use", [400, 200]), ("lenient", [200, 200])):
        await application.shop.control("POST", "realm/rules", {"reuse": reuse})
        first = await application.tokens()
        second = (await application.refresh(first["refresh_token"])).json()
        again = [await application.refresh(one["refresh_token"]) for one in (first, second)]
        assert [answer.status_code for answer in again] == expected
    await application.shop.control("POST", "realm/rules", {"answers_without_refresh_token": True})
    tokens = await application.tokens()
    for _ in range(2):
        assert "refresh_token" not in (await application.refresh(tokens["refresh_token"])).json()


async def test_access_tokens_open_what_their_scopes_and_the_users_rights_allow_until_they_end(
    application: Application,
) -> None:
    token = (await application.tokens())["access_token"]
    assert [await application.api(token), await application.api(token, "/3.0/banking/accounts")] == [200, 403]
    await application.shop.control("POST", "realm/rights", {"right": "contact", "value": "none"})
    assert await application.api(token) == 403
    await application.shop.control("POST", "realm/rights", {"right": "contact", "value": "all"})
    application.shop.time += timedelta(seconds=3601)
    assert await application.api(token) == 401


async def test_a_customer_takes_access_away_and_tokens_expire_on_demand(application: Application) -> None:
    tokens = await application.tokens()
    assert (await application.shop.control("POST", "realm/expire", {})).json() == {"expired": 1}
    assert await application.api(tokens["access_token"]) == 401
    renewed = (await application.refresh(tokens["refresh_token"])).json()
    assert await application.api(renewed["access_token"]) == 200
    assert (await application.shop.control("POST", "realm/revoke", {})).json() == {"ended": 1}
    assert await application.api(renewed["access_token"]) == 401
    assert (await application.refresh(renewed["refresh_token"])).status_code == 400
    [session] = (await application.shop.control("GET", "realm/sessions")).json()
    assert (session["is_ended"], session["refreshes"], session["refused"]) == (True, 1, 1)


async def test_revoking_one_token_ends_every_session_of_that_login_as_keycloak_does(application: Application) -> None:
    one, other = await application.tokens(), await application.tokens()
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    revoked = await application.client.post(f"{CONNECT}/revoke", data=credentials | {"token": one["refresh_token"]})
    assert revoked.status_code == 200
    assert (await application.refresh(other["refresh_token"])).status_code == 400


async def test_keys_change_and_proofs_can_be_forged(application: Application) -> None:
    old = application.shop.world.realm.keys.current.kid
    new = (await application.shop.control("POST", "realm/rotate-keys", {})).json()["kid"]
    published = (await application.client.get(f"{CONNECT}/certs")).json()["keys"]
    assert [key["kid"] for key in published] == [old, new]
    assert not any("d" in key for key in published)
    await application.shop.control("POST", "realm/forge", {"claims": {"aud": "another"}, "signature": "none"})
    forged = (await application.tokens())["id_token"]
    assert forged.endswith(".")
    assert (await application.shop.control("POST", "realm/forge", {"signature": "what"})).status_code == 400


async def test_a_refresh_whose_answer_is_lost_has_been_done(application: Application) -> None:
    tokens = await application.tokens()
    await application.shop.control("POST", "faults", {"mode": "error_after_write", "path": "/token$", "times": 1})
    assert (await application.refresh(tokens["refresh_token"])).status_code == 500
    assert (await application.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
