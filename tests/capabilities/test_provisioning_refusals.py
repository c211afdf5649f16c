"""An activation that cannot become a shop: it ends at once, says why, and harms nothing that works."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from app.capabilities.linking import rows
from app.capabilities.linking.company import Owner
from app.connectors.oidc.claims import Claims
from app.connectors.oidc.grants import Grant, Tokens
from app.core.errors import Forbidden
from app.core.vault import Vault, generate_key
from tests.fixtures.marketplace import Marketplace
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
