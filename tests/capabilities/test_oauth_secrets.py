"""After signing in, selling, renewing, breaking and connecting anew, nothing secret is to be read anywhere."""

from __future__ import annotations

import io

from sandbox.bexio.faults import Mode, Rule
from sandbox.bexio.realm import CLIENT_SECRET, Forgery
from tests.capabilities.signing import Office, office
from tests.fixtures.leaks import dump
from tests.fixtures.person import query_of
from tests.fixtures.service import opened
from tests.fixtures.shop import Shop


async def whole_life(people: Office) -> list[str]:
    """Everything that happens to a connection; gives every secret that was involved."""
    shop, world = people.shop, people.shop.world
    invited = await people.invited()
    secrets = [query_of(invited)["ticket"], CLIENT_SECRET]
    at_bexio = (await people.person.open(invited)).headers["location"]
    secrets += [query_of(at_bexio)["state"], query_of(at_bexio)["nonce"], *people.person.cookies.values()]
    back = await people.person.decide(at_bexio, f"{people.tenant.company.id}/1")
    secrets.append(query_of(back)["code"])
    assert (await people.person.open(back)).status_code == 200
    await people.tenant.issued()
    world.faults.add(Rule(Mode.ERROR_BEFORE, path="/token$", times=1))
    await shop.later(3600)
    await shop.later(60)
    await people.tenant.issued()
    world.realm.forgery = Forgery(signature="broken")
    assert (await people.connected()).status_code == 422
    world.realm.forgery = Forgery()
    for session in world.realm.sessions.values():
        session.is_ended = True
    await shop.later(7200)
    await people.tenant.accepted()
    await shop.work()
    assert (await people.connected()).status_code == 200
    await shop.work()
    for session in world.realm.sessions.values():
        secrets += [*session.access_tokens, *session.used, session.refresh_token or ""]
    return [secret for secret in secrets if secret]


async def test_neither_the_log_nor_the_database_holds_a_secret_in_the_clear(shop: Shop, written: io.BytesIO) -> None:
    tenant = await opened(shop, "laden")
    async with office(tenant) as people:
        secrets = await whole_life(people)
    assert len(secrets) > 10
    logged, stored = written.getvalue().decode(), await dump(shop.db)
    assert "tokens-renewed" in logged
    assert "connection-broken" in logged
    assert tenant.company.id in stored
    assert [secret for secret in secrets if secret in logged or secret in stored] == []
