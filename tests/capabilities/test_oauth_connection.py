"""Connecting by sign-in, from the backoffice's click to the page at the end, and what is stored of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from app.capabilities.sign_in.records import Intent
from app.connectors.access import BEXIO_SECRET
from app.connectors.oidc.client import App
from app.connectors.oidc.scopes import NEEDED
from app.connectors.renewal_rows import PREVIOUS_SECRET, REFRESH_SECRET
from app.core.errors import Conflict, Unavailable
from app.core.priority import Priority
from sandbox.bexio.realm import CLIENT_ID
from tests.capabilities.signing import Office, another_company, office
from tests.fixtures.person import query_of
from tests.fixtures.service import audited, opened
from tests.fixtures.shop import PUBLIC, Shop


@pytest.fixture
async def unconnected(shop: Shop) -> AsyncGenerator[Office]:
    """A tenant that never was connected, and its people."""
    async with office(await opened(shop, "laden")) as people:
        yield people


async def test_two_clicks_connect_a_tenant_and_its_sales_reach_bexio(unconnected: Office) -> None:
    page = await unconnected.connected()
    assert page.status_code == 200
    assert '<html lang="de">' in page.text
    assert "Mit bexio verbunden" in page.text
    assert unconnected.tenant.company.name in page.text
    state = await unconnected.state()
    shown = {name: state[name] for name in ("state", "kind", "company_id", "expires_at", "days_left", "scopes_missing")}
    assert shown == {
        "state": "connected",
        "kind": "oauth",
        "company_id": unconnected.tenant.company.id,
        "expires_at": None,
        "days_left": None,
        "scopes_missing": [],
    }
    await unconnected.tenant.issued()


async def test_the_first_hop_is_ours_and_asks_bexio_for_exactly_what_is_needed(unconnected: Office) -> None:
    invited = await unconnected.invited()
    assert invited.startswith(f"{PUBLIC}/oauth/bexio/begin?ticket=")
    first = await unconnected.person.open(invited)
    asked = query_of(first.headers["location"])
    assert asked["scope"].split() == list(NEEDED)
    assert asked["redirect_uri"] == f"{PUBLIC}/oauth/bexio/callback"
    assert (asked["code_challenge_method"], asked["response_type"], asked["prompt"]) == ("S256", "code", "consent")
    [cookie] = first.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-sign-in-")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"} <= set(cookie.split("; ")[1:])
    assert query_of(await unconnected.at_bexio(stock=True))["scope"].split() == [*NEEDED, "stock_edit"]


async def test_tokens_are_sealed_for_their_tenant_and_column_and_shown_nowhere(unconnected: Office, shop: Shop) -> None:
    await unconnected.connected()
    row, tenant, vault = await unconnected.row(), unconnected.tenant, shop.resources.vault
    [session] = shop.world.realm.sessions.values()
    assert vault.open(tenant.id, BEXIO_SECRET, row.secret) == session.access_tokens[-1]
    assert vault.open(tenant.id, REFRESH_SECRET, row.refresh_secret) == session.refresh_token
    other = await shop.tenant("other")
    for stolen, column, place in (
        (row.refresh_secret, REFRESH_SECRET, other.id),
        (row.refresh_secret, BEXIO_SECRET, tenant.id),
        (row.refresh_secret, PREVIOUS_SECRET, tenant.id),
    ):
        with pytest.raises(Unavailable):
            vault.open(place, column, stolen)
    await other.execute("update bexio_connection set secret = :stolen", stolen=row.secret)
    with pytest.raises(Unavailable):
        await shop.resources.remotes.bexio(other.id, Priority.TILL)
    shown = f"{(await tenant.get('/connection')).text} {await audited(tenant, 'connection.bexio.connect')}"
    assert session.refresh_token is not None
    assert session.refresh_token not in shown
    assert session.access_tokens[-1] not in shown


async def test_a_sign_in_replaces_a_personal_token_of_the_same_company_and_the_other_way_round(
    shop: Shop,
) -> None:
    tenant = await opened(shop, "laden")
    body = {"personal_access_token": tenant.token}
    assert (await tenant.call("PUT", "/connection/bexio", json=body)).status_code == 200
    async with office(tenant) as people:
        # A personal token does not name its company here: it is known again by its books.
        assert (await people.row()).company_id.startswith("account-")
        assert (await people.connected()).status_code == 200
        row = await people.row()
        assert (row.kind, row.company_id) == ("oauth", tenant.company.id)
        assert (await tenant.call("PUT", "/connection/bexio", json=body)).status_code == 200
        row = await people.row()
        assert (row.kind, row.company_id, row.refresh_secret, row.scopes) == ("token", tenant.company.id, None, [])
        await tenant.issued()


async def test_the_company_of_another_tenant_is_refused_however_that_one_is_connected(shop: Shop) -> None:
    first, second, third = [await opened(shop, slug) for slug in ("first", "second", "third")]
    body = {"personal_access_token": first.token}
    assert (await first.call("PUT", "/connection/bexio", json=body)).status_code == 200
    async with office(second) as people:
        refused = await people.connected(first.company)
        assert (refused.status_code, await people.row()) == (409, None)
        assert "anderen Arcavis verbunden" in refused.text
        assert (await people.connected()).status_code == 200
    async with office(third) as people:
        assert (await people.connected(second.company)).status_code == 409
        assert await people.row() is None
    # A refusal leaves the other tenant's connection alone, also at bexio.
    await second.issued()


async def test_another_company_than_the_tenants_own_is_refused_and_nothing_changes(unconnected: Office) -> None:
    await unconnected.connected()
    before = await unconnected.row()
    refused = await unconnected.connected(another_company(unconnected.shop))
    assert refused.status_code == 409
    assert "Andere Firma" in refused.text
    assert await unconnected.row() == before
    await unconnected.tenant.issued()


async def test_rights_that_were_not_granted_are_told_on_the_page_in_the_connection_and_by_the_doctor(
    unconnected: Office,
) -> None:
    at_bexio = (await unconnected.at_bexio()).replace("accounting", "").replace("article_show", "")
    page = await unconnected.person.open(
        await unconnected.person.decide(at_bexio, f"{unconnected.tenant.company.id}/1")
    )
    assert page.status_code == 200
    assert "article_show, accounting" in page.text
    assert (await unconnected.state())["scopes_missing"] == ["article_show", "accounting"]
    findings = (await unconnected.tenant.get("/connection/check")).json()["findings"]
    assert "bexio-scopes-missing" in [one["code"] for one in findings]


@pytest.mark.parametrize("scope", ["kb_invoice_edit", "offline_access", "company_profile"])
async def test_without_an_indispensable_right_nothing_is_stored(unconnected: Office, scope: str) -> None:
    at_bexio = (await unconnected.at_bexio()).replace(scope, "")
    page = await unconnected.person.open(
        await unconnected.person.decide(at_bexio, f"{unconnected.tenant.company.id}/1")
    )
    assert page.status_code in {403, 422}
    assert await unconnected.row() is None


async def test_disconnecting_revokes_at_bexio_and_a_company_without_sales_is_given_up(unconnected: Office) -> None:
    await unconnected.connected()
    [session] = unconnected.shop.world.realm.sessions.values()
    assert (await unconnected.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    assert session.is_ended
    assert await unconnected.row() is None


async def test_a_revocation_that_bexio_missed_is_made_up_for(unconnected: Office) -> None:
    await unconnected.connected()
    [session] = unconnected.shop.world.realm.sessions.values()
    unconnected.shop.world.outage = "unavailable"
    assert (await unconnected.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    row = await unconnected.row()
    assert (row.state, session.is_ended) == ("disconnected", False)
    unconnected.shop.world.outage = None
    await unconnected.shop.later(700)
    assert session.is_ended
    assert await unconnected.row() is None


async def test_a_revocation_that_is_refused_for_good_gives_the_company_up_all_the_same(unconnected: Office) -> None:
    await unconnected.connected()
    unconnected.shop.world.realm.rules.revocation_refused = "unsupported_token_type"
    assert (await unconnected.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    assert await unconnected.row() is None


async def test_a_revocation_without_an_app_to_ask_with_gives_the_company_up(unconnected: Office) -> None:
    await unconnected.connected()
    unconnected.shop.world.outage = "unavailable"
    assert (await unconnected.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    unconnected.shop.world.outage = None
    ending = unconnected.shop.resources.ending
    gone = replace(ending, oidc=replace(ending.oidc, app=None))
    assert await gone.finish(unconnected.tenant.id, "system")
    assert await unconnected.row() is None


async def test_a_revocation_with_a_refused_app_is_made_up_for_once_the_operator_has_mended_it(
    unconnected: Office,
) -> None:
    await unconnected.connected()
    [session] = unconnected.shop.world.realm.sessions.values()
    ending = unconnected.shop.resources.ending
    mistyped = replace(ending, oidc=replace(ending.oidc, app=App(CLIENT_ID, "mistyped")))
    unconnected.shop.world.outage = "unavailable"
    assert (await unconnected.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    unconnected.shop.world.outage = None
    assert not await mistyped.finish(unconnected.tenant.id, "system")
    assert (await unconnected.row()).state == "disconnected"
    await unconnected.shop.later(700)
    assert session.is_ended
    assert await unconnected.row() is None


async def test_one_login_may_keep_two_tenants_connected_and_leaves_the_other_one_alone(shop: Shop) -> None:
    # Keycloak ends every session of a login when one is revoked.
    one, two = await opened(shop, "one"), await opened(shop, "two")
    for tenant in (one, two):
        async with office(tenant) as people:
            assert (await people.connected()).status_code == 200
    assert (await one.call("DELETE", "/connection/bexio")).status_code == 204
    assert [session.is_ended for session in shop.world.realm.sessions.values()] == [False, False]
    await two.issued()
    assert (await two.call("DELETE", "/connection/bexio")).status_code == 204
    assert all(session.is_ended for session in shop.world.realm.sessions.values())


async def test_without_an_app_of_ours_only_personal_tokens_connect(shop: Shop, unconnected: Office) -> None:
    sign_ins = replace(shop.resources.sign_ins, oidc=replace(shop.resources.oidc, app=None))
    intent = Intent("connect", unconnected.tenant.id, "test")
    async with shop.db.begin(unconnected.tenant.id) as session:
        with pytest.raises(Conflict) as caught:
            await sign_ins.invite(session, intent)
    assert caught.value.code == "bexio-app-not-set-up"


async def test_the_doctor_tells_of_rights_that_the_connected_user_lost_and_of_a_renewal_that_fails(
    unconnected: Office, shop: Shop
) -> None:
    await unconnected.connected()
    tenant = unconnected.tenant
    tenant.company.rights[1] = {"kb_invoice": "none", "contact": "own", "fibu": "none"}
    await tenant.execute("update bexio_connection set renewal_failures = 3")
    findings = (await tenant.get("/connection/check")).json()["findings"]
    found = {(one["code"], one["severity"]) for one in findings}
    assert {
        ("bexio-right-missing", "error"),
        ("bexio-right-missing", "warning"),
        ("bexio-right-limited", "warning"),
        ("bexio-renewal-fails", "error"),
    } <= found
