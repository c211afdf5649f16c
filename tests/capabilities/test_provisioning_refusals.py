"""An activation that cannot become a shop: it ends at once, says why, and harms nothing that works."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.capabilities.linking import rows
from app.capabilities.linking.company import Owner
from app.capabilities.provisioning.schemas import Activation
from app.capabilities.tenancy.sealed import WANTED
from app.connectors.oidc.claims import Claims
from app.connectors.oidc.grants import Grant, Tokens
from app.core.errors import Forbidden
from app.core.vault import Vault, generate_key
from sandbox.bexio.company import Company
from sandbox.bexio.faults import Mode, Rule
from tests.fixtures.marketplace import Marketplace
from tests.fixtures.ruin import Killed, Killer, dying
from tests.fixtures.shop import NOON, Body


def narrowed(place: Marketplace, body: Body, *without: str) -> Body:
    """The person did not allow everything."""
    codes = place.shop.world.realm.codes
    text = body["authorization"]["code"]
    codes[text] = replace(codes[text], scopes=codes[text].scopes - set(without))
    return body


@pytest.mark.parametrize("scope", ["offline_access", "kb_invoice_edit", "contact_edit"])
async def test_a_permission_that_is_too_small_is_refused_and_a_working_connection_stays(
    marketplace: Marketplace, scope: str
) -> None:
    company = marketplace.company()
    await marketplace.activated(company)
    await marketplace.work()
    connection = "select secret, refresh_secret, scopes, generation, connected_at from bexio_connection"
    before = await marketplace.rows(connection)
    body = narrowed(marketplace, marketplace.activation(company, "act_again"), scope)
    for name in ("msg_2", "msg_3"):
        answer = await marketplace.post(body, name=name)
        assert (answer.status_code, answer.json()["code"]) == (409, "provision-scopes-missing")
        assert scope in answer.json()["detail"]
    assert await marketplace.rows(connection) == before
    (row,) = await marketplace.rows("select id, state, wanted from activation where activation_id = 'act_again'")
    assert (row.state, row.wanted) == ("refused", None)
    shown = await marketplace.shown(str(row.id), **{"Accept-Language": "de"})
    assert "erlauben Sie auf der Seite von bexio alles" in shown["reason"]["remedy"]
    whole = await marketplace.post(marketplace.activation(company, "act_again"), name="msg_4")
    assert whole.status_code == 202, whole.text


async def test_what_bexio_does_not_have_to_allow_does_not_keep_a_shop_from_being_made(marketplace: Marketplace) -> None:
    body = narrowed(marketplace, marketplace.activation(marketplace.company()), "stock_edit")
    assert (await marketplace.post(body)).status_code == 202


async def test_a_grant_that_cannot_be_renewed_is_never_stored(marketplace: Marketplace) -> None:
    later = NOON + timedelta(minutes=5)
    tokens = Tokens("an access token", None, None, later, later, later, None)
    grant = Grant(tokens, Claims.model_validate({"sub": "somebody", "company_id": "company"}), frozenset())
    owner = Owner("company", "Muster AG", 1, "Max Muster", None)
    async with marketplace.shop.db.begin_system() as session:
        with pytest.raises(Forbidden, match="sign-in-scopes-missing"):
            await rows.link(session, Vault(generate_key("one")), uuid4(), owner, grant, NOON)


async def moved(place: Marketplace) -> Company:
    """A shop that was made for a company, and is connected with another one now that has the same books."""
    company = place.company()
    await place.activated(company)
    await place.work()
    (tenant,) = await place.tenants()
    async with place.shop.db.begin(tenant) as session:
        await session.execute(text("update bexio_connection set company_id = 'another'"))
    return company


async def state_of(place: Marketplace, activation: str) -> tuple[str, str | None]:
    (row,) = await place.rows("select state, reason from activation where activation_id = :a", a=activation)
    return row.state, row.reason


async def test_what_can_never_succeed_is_refused_at_once_with_its_own_reason(marketplace: Marketplace) -> None:
    company = await moved(marketplace)
    body = marketplace.activation(company, "act_again")
    for name in ("msg_2", "msg_3"):
        answer = await marketplace.post(body, name=name)
        assert (answer.status_code, answer.json()["code"]) == (409, "bexio-company-differs")
    assert await state_of(marketplace, "act_again") == ("refused", "bexio-company-differs")


async def left(place: Marketplace, company: Company, activation: str) -> None:
    """An activation whose process died once its code was exchanged."""
    given = Activation.model_validate(place.activation(company, activation))
    with pytest.raises(Killed):
        await dying(place, Killer("activation-authorized")).webhook(f"msg_{activation}", given)
    place.shop.clock.moved += 61


async def test_what_can_never_succeed_is_not_asked_of_bexio_for_ever(marketplace: Marketplace) -> None:
    company = await moved(marketplace)
    await left(marketplace, company, "act_again")
    intake = marketplace.shop.resources.intake
    assert await intake.resume() == 1
    assert await state_of(marketplace, "act_again") == ("refused", "bexio-company-differs")
    marketplace.shop.clock.moved += 61
    assert await intake.resume() == 0


@pytest.mark.parametrize("died", [True, False])
async def test_what_bexio_refuses_keeps_its_reason(marketplace: Marketplace, died: bool) -> None:  # noqa: FBT001
    company = marketplace.company()
    marketplace.shop.world.faults.add(Rule(Mode.FORBIDDEN_403, path="company_profile"))
    if died:
        await left(marketplace, company, "act_123")
        await marketplace.shop.resources.intake.resume()
    else:
        answer = await marketplace.post(marketplace.activation(company))
        assert (answer.status_code, answer.json()["code"]) == (422, "bexio-forbidden")
    assert await state_of(marketplace, "act_123") == ("failed", "bexio-forbidden")


async def test_a_permission_that_opens_nothing_any_more_says_so_on_every_way(marketplace: Marketplace) -> None:
    company = marketplace.company()
    await left(marketplace, company, "act_123")
    for ended in marketplace.shop.world.realm.of_company(company.id):
        for token in ended.access_tokens:
            marketplace.shop.world.revoke_token(token)
    await marketplace.shop.resources.intake.resume()
    assert await state_of(marketplace, "act_123") == ("failed", "provision-authorization-lost")


async def test_one_that_breaks_keeps_no_other_waiting_and_ends_after_an_hour(marketplace: Marketplace) -> None:
    place = marketplace
    for name in ("broken", "whole"):
        await left(place, place.company(f"company-{name}"), name)
    (row,) = await place.rows("select id from activation where activation_id = 'broken'")
    wanted = place.shop.resources.intake.vault.seal(row.id, WANTED, '{"of": "another version"}')
    change = text("update activation set wanted = :wanted, held_until = created_at where id = :id")
    async with place.shop.db.begin_system() as session:
        await session.execute(change, {"wanted": wanted, "id": row.id})
    assert await place.shop.resources.intake.resume() == 2
    assert await state_of(place, "whole") == ("accepted", None)
    assert await state_of(place, "broken") == ("authorized", None)
    place.shop.clock.moved += 3600
    await place.shop.resources.intake.resume()
    assert await state_of(place, "broken") == ("failed", "provision-authorization-lost")


async def test_a_company_whose_books_are_another_tenants_is_refused_with_the_remedy(marketplace: Marketplace) -> None:
    company = marketplace.company()
    await marketplace.activated(company)
    await marketplace.work()
    existing = await marketplace.shop.tenant("existing")
    async with marketplace.shop.db.begin_system() as session:
        books = "select books_id from bexio_connection where company_id = :company"
        found = (await session.execute(text(books), {"company": company.id})).scalar_one()
        clear = "update bexio_connection set books_id = null where company_id = :company"
        await session.execute(text(clear), {"company": company.id})
    async with marketplace.shop.db.begin(existing.id) as session:
        await session.execute(text("update bexio_connection set books_id = :books"), {"books": found})
    answer = await marketplace.post(marketplace.activation(company, "act_again"), name="msg_2")
    assert (answer.status_code, answer.json()["code"]) == (409, "provision-company-connected")
