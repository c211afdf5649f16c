"""Sign-ins that are not what they seem: each is refused on a page that says what to do, and nothing is stored."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncGenerator
from html import unescape
from urllib.parse import quote, urlencode

import httpx
import pytest

from sandbox.bexio.faults import Mode, Rule
from sandbox.bexio.realm import Forgery
from tests.capabilities.signing import Office, office
from tests.fixtures.person import query_of
from tests.fixtures.service import opened
from tests.fixtures.shop import BEXIO, PUBLIC, Shop

CALLBACK = f"{PUBLIC}/oauth/bexio/callback"
ISSUER = f"{BEXIO}/realms/bexio"

FORGERIES = (
    Forgery({"nonce": "another"}),
    Forgery({"nonce": None}),
    Forgery({"aud": "another-app"}),
    Forgery({"aud": ["arcavis-connector", "another-app"], "azp": None}),
    Forgery({"azp": "another-app"}),
    Forgery({"iss": "https://evil.test/realms/bexio"}),
    Forgery({"iss": "https://bexio.test/realms/other"}),
    Forgery({"exp": 1}),
    Forgery({"iat": 4102444800}),
    Forgery({"sub": None}),
    Forgery(signature="none"),
    Forgery(signature="hs256"),
    Forgery(signature="foreign"),
    Forgery(signature="foreign_kid"),
    Forgery(signature="broken"),
)


@pytest.fixture
async def victim(shop: Shop) -> AsyncGenerator[Office]:
    """A tenant that is about to connect, and its person."""
    async with office(await opened(shop, "victim")) as people:
        yield people


@pytest.fixture
async def attacker(shop: Shop) -> AsyncGenerator[Office]:
    """Another tenant with a person and a browser of its own."""
    async with office(await opened(shop, "attacker")) as people:
        yield people


def callback(**query: str) -> str:
    return f"{CALLBACK}?{urlencode(query)}"


async def refused(people: Office, url: str, status: int, title: str) -> httpx.Response:
    """Opens the callback; the page says why, what to do, and the tenant is as unconnected as before."""
    page = await people.person.open(url)
    assert page.status_code == status, page.text
    heading, detail, remedy = told(page)
    assert title in heading
    assert detail
    assert remedy
    assert await people.row() is None
    assert (await people.state())["state"] == "not_connected"
    return page


def told(page: httpx.Response) -> tuple[str, str, str]:
    """Heading, what happened and the remedy of a page."""
    text = re.sub(r"<span[^>]*>.*?</span>", "", page.text)
    found = re.search(r'<h1>(.*?)</h1>\s*<p>(.*?)</p>\s*<p class="remedy">(.*?)</p>', text, re.DOTALL)
    assert found is not None, page.text
    return unescape(found[1].strip()), unescape(found[2].strip()), unescape(found[3].strip())


async def test_a_state_that_was_never_handed_out(victim: Office) -> None:
    for state in ("", "x", "a" * 5000, "ü"):
        await refused(victim, callback(code="c", state=state, iss=ISSUER), 404, "Anmeldung unbekannt")
    await refused(victim, f"{CALLBACK}?code=c", 404, "Anmeldung unbekannt")


async def test_a_ticket_that_was_never_handed_out_or_is_too_old(victim: Office) -> None:
    for address in ("begin", "begin?ticket=", "begin?ticket=another", f"begin?ticket={'a' * 9000}"):
        page = await victim.person.open(f"{PUBLIC}/oauth/bexio/{address}")
        assert (page.status_code, told(page)[0]) == (404, "Anmeldung unbekannt")
    invited = await victim.invited()
    victim.shop.clock.moved += 601
    page = await victim.person.open(invited)
    assert (page.status_code, told(page)[0]) == (409, "Anmeldung dauerte zu lange")


async def test_a_callback_after_ten_minutes(victim: Office) -> None:
    back = await victim.back()
    victim.shop.clock.moved += 601
    await refused(victim, back, 409, "dauerte zu lange")


async def test_a_callback_opened_in_another_browser_has_no_cookie(victim: Office, attacker: Office) -> None:
    back = await victim.back()
    page = await attacker.person.open(back)
    assert (page.status_code, await victim.row(), await attacker.row()) == (403, None, None)
    # It did not use the sign-in up: the right browser still gets through.
    assert (await victim.person.open(back)).status_code == 200


async def test_a_cookie_of_another_sign_in_does_not_help(victim: Office, attacker: Office) -> None:
    back = await victim.back()
    await attacker.at_bexio()
    [own] = victim.person.cookies
    [planted] = attacker.person.cookies.values()
    victim.person.cookies = {own: planted}
    await refused(victim, back, 403, "in einem anderen Browser")


async def test_a_code_of_another_session_is_bound_to_that_sessions_verifier(victim: Office, attacker: Office) -> None:
    stolen = query_of(await attacker.back())["code"]
    own = query_of(await victim.back())
    await refused(victim, callback(**(own | {"code": stolen})), 409, "lehnt die Anmeldung ab")
    assert await attacker.row() is None


async def test_a_forged_proof(victim: Office) -> None:
    realm = victim.shop.world.realm
    for forgery in FORGERIES:
        realm.forgery = forgery
        await refused(victim, await victim.back(), 422, "nicht bewiesen")
    realm.forgery = Forgery()
    assert (await victim.connected()).status_code == 200


async def test_keys_that_bexio_exchanges_between_two_sign_ins_are_read_again(victim: Office) -> None:
    assert (await victim.connected()).status_code == 200
    victim.shop.world.realm.keys.rotate(withdraw=True)
    victim.shop.clock.moved += 31
    assert (await victim.connected()).status_code == 200


async def test_an_answer_that_another_issuer_sent(victim: Office) -> None:
    for issuer in ({}, {"iss": "https://evil.test/realms/bexio"}, {"iss": f"{ISSUER}/"}, {"iss": ""}):
        query = query_of(await victim.back())
        del query["iss"]
        await refused(victim, callback(**query, **issuer), 422, "jemand anderem")


async def test_a_callback_that_is_replayed(victim: Office) -> None:
    back, cookies = await victim.back(), dict(victim.person.cookies)
    assert (await victim.person.open(back)).status_code == 200
    before = await victim.row()
    victim.person.cookies = cookies
    page = await victim.person.open(back)
    assert (page.status_code, told(page)[0]) == (409, "Anmeldung schon verwendet")
    assert await victim.row() == before
    # Neither does the address that the backoffice got begin another one.
    assert [session.is_ended for session in victim.shop.world.realm.sessions.values()] == [False]


async def test_an_invitation_is_used_up_by_the_first_of_its_ways_that_arrives(victim: Office) -> None:
    invited = await victim.invited()
    ways = [(await victim.person.open(invited)).headers["location"] for _ in range(2)]
    backs = [await victim.person.decide(way, f"{victim.tenant.company.id}/1") for way in ways]
    assert (await victim.person.open(backs[1])).status_code == 200
    assert (await victim.person.open(backs[0])).status_code == 409
    assert (await victim.person.open(invited)).status_code == 409


async def test_bexio_sends_nobody_to_another_address_than_the_one_registered(victim: Office) -> None:
    at_bexio = await victim.at_bexio()
    for redirect_uri in (
        f"{CALLBACK}/",
        f"{CALLBACK}?tenant=1",
        f"{CALLBACK}#fragment",
        CALLBACK.upper(),
        CALLBACK.replace("https", "http"),
        f"{PUBLIC}/oauth/bexio/%63allback",
        f"{PUBLIC}.evil.test/oauth/bexio/callback",
        "https://evil.test/oauth/bexio/callback",
    ):
        page = await victim.person.bexio.get(at_bexio.replace(quote(CALLBACK, safe=""), quote(redirect_uri, safe="")))
        assert (page.status_code, "location" in page.headers) == (400, False)


async def test_a_code_that_was_got_for_another_address(victim: Office) -> None:
    victim.shop.world.realm.register(CALLBACK, "https://evil.test/callback")
    at_bexio = (await victim.at_bexio()).replace(quote(CALLBACK, safe=""), quote("https://evil.test/callback", safe=""))
    leaked = query_of(await victim.person.decide(at_bexio, f"{victim.tenant.company.id}/1"))
    await refused(victim, callback(**leaked), 409, "lehnt die Anmeldung ab")


async def test_parameters_given_twice(victim: Office) -> None:
    back = await victim.back()
    await refused(victim, f"{back}&code=another", 422, "misslungen")
    assert (await victim.person.open(back)).status_code == 200


async def test_who_denies_is_told_so_and_may_begin_again(victim: Office) -> None:
    await refused(victim, await victim.back(decision="deny"), 403, "Zugriff abgelehnt")
    assert (await victim.connected()).status_code == 200


async def test_another_error_of_bexio_is_named_as_far_as_it_is_a_word(victim: Office) -> None:
    for given, shown in (("server_error", "server_error"), ("<script>alert(1)</script>", "code"), ("", "code")):
        state = query_of(await victim.back())["state"]
        url = callback(state=state, iss=ISSUER, error=given, error_description="<b>")
        page = await refused(victim, url, 422, "misslungen")
        assert f"«{shown}»" in page.text
        assert "<script" not in page.text
        assert "<b>" not in page.text


async def test_bexio_that_fails_at_the_exchange(victim: Office) -> None:
    for mode in (Mode.ERROR_BEFORE, Mode.ERROR_AFTER_WRITE, Mode.RESET, Mode.HALF_PAGE):
        back = await victim.back()
        victim.shop.world.faults.add(Rule(mode, path="/token$", times=1))
        page = await refused(victim, back, 503, "bexio antwortete nicht")
        assert page.headers["retry-after"]
    assert (await victim.connected()).status_code == 200


async def test_bexio_that_is_away_at_the_first_hop_leaves_the_invitation_good(victim: Office) -> None:
    invited = await victim.invited()
    victim.shop.world.outage = "unavailable"
    page = await victim.person.open(invited)
    assert (page.status_code, told(page)[0]) == (503, "Anmeldung von bexio antwortet nicht")
    victim.shop.world.outage = None
    victim.shop.clock.moved += 60
    assert (await victim.person.open(invited)).status_code == 303


async def test_nobody_uses_another_tenants_invitation_with_a_key_of_his_own(victim: Office, attacker: Office) -> None:
    # Whoever opens the address connects the tenant that it was made for, and no other.
    back = await attacker.person.decide(
        (await attacker.person.open(await victim.invited())).headers["location"], f"{attacker.tenant.company.id}/1"
    )
    page = await attacker.person.open(back)
    assert page.status_code == 200
    assert "Laden victim" in page.text
    assert await attacker.row() is None
    assert (await victim.row()).company_id == attacker.tenant.company.id


async def test_pages_speak_the_browsers_language(victim: Office) -> None:
    for language, code, title in (
        ("de-CH", "de", "Anmeldung unbekannt"),
        ("fr-CH,fr;q=0.9", "fr", "Connexion inconnue"),
        ("it", "it", "Accesso sconosciuto"),
        ("en-GB", "en", "Sign-in unknown"),
        ("rm,it;q=0.5", "it", "Accesso sconosciuto"),
    ):
        victim.person.language = language
        page = await victim.person.open(callback(state="x"))
        assert f'<html lang="{code}">' in page.text
        assert (told(page)[0], page.headers["content-language"]) == (title, code)


async def test_a_page_may_load_nothing_run_nothing_and_be_framed_by_nobody(victim: Office) -> None:
    page = await victim.connected()
    headers = page.headers
    [policy] = headers.get_list("content-security-policy")
    [style] = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert victim.person.cookies == {}


async def test_a_program_that_asks_for_json_gets_a_problem(victim: Office) -> None:
    answer = await victim.shop.client.get(callback(state="x"), headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (404, "sign-in-unknown")


async def test_what_comes_from_bexio_is_escaped(victim: Office) -> None:
    victim.tenant.company.profile["name"] = '<img src=x onerror="alert(1)"> & Söhne'
    page = await victim.connected()
    assert page.status_code == 200
    assert "<img" not in page.text
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; &amp; Söhne" in page.text
