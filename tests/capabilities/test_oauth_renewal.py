"""Tokens that work once, and everything that can go wrong while they are renewed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from app.capabilities.tenancy.guard import RECONNECTED_PAUSE, wait_for_connection
from app.capabilities.tenancy.rotation import rotate
from app.connectors.renewal_rows import PREVIOUS_SECRET, REFRESH_SECRET
from app.core.errors import ConnectionRefused, RemoteUnavailable
from app.core.milestones import Probe
from app.core.priority import Priority
from app.core.vault import Vault, generate_key
from app.jobs.outcomes import Later
from sandbox.bexio.faults import Mode, Rule
from tests.capabilities.renewing import Replicas, replicas, rotate_tokens, with_vault
from tests.capabilities.signing import SECRETS, another_company, office
from tests.fixtures.shop import KEYS, Shop, settings_of

LEASE = 31.0


@pytest.fixture
async def three(shop: Shop) -> AsyncGenerator[Replicas]:
    """Three replicas and their tenant."""
    async with replicas(shop) as installation:
        yield installation


class Killed(BaseException):
    """The process is gone: no handler of ours gets to see it."""


def killer(point: str) -> Probe:
    async def probe(milestone: str) -> None:
        if milestone == point:
            raise Killed

    return probe


@dataclass
class Hold:
    """Stops a renewal at a point until it is let go."""

    point: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, milestone: str) -> None:
        if milestone == self.point:
            self.reached.set()
            await self.go_on.wait()


async def items(installation: Replicas) -> list[str]:
    answer = await installation.tenant.get("/attention?state=open")
    return [item["code"] for item in answer.json()["items"] if item["code"] != "mail-not-configured"]


def token_requests(installation: Replicas) -> int:
    return installation.shop.world.requests.by_route["POST /realms/bexio/protocol/openid-connect/token"]


async def settled(call: Coroutine[object, object, None]) -> BaseException | None:
    """How a call ended."""
    [ended] = await asyncio.gather(call, return_exceptions=True)
    return ended


async def test_sixteen_callers_on_three_replicas_renew_once_a_round(shop: Shop) -> None:
    figures = await rotate_tokens(shop, 30)
    assert figures == {
        "rounds": 30,
        "callers": 16,
        "replicas": 3,
        "renewals": 30,
        "rounds_with_other_than_one": 0,
        "refused_by_bexio": 0,
        "lost": 0,
        "failed_calls": 0,
        "examples": [],
    }


async def test_without_the_lease_the_same_rounds_lose_the_tenant(three: Replicas) -> None:
    # The proof above can fail: three processes that do not know of each other spend the same token.
    three.expire()
    tokens = three.session.refresh_token
    assert tokens is not None
    now = three.clock.now() + timedelta(seconds=5)
    ended = await asyncio.gather(
        *(one.oidc.refresh(tokens, not_after=now) for one in three.running), return_exceptions=True
    )
    assert sum(isinstance(one, Exception) for one in ended) == 2
    assert three.session.is_ended


@pytest.mark.parametrize("point", ["before-renewal", "tokens-stored"])
async def test_a_process_killed_before_the_question_or_after_the_commit_costs_nothing(
    three: Replicas, point: str
) -> None:
    three.running[0].renewals.probe = killer(point)
    three.expire()
    with pytest.raises(Killed):
        await three.call(0)
    three.clock.push(LEASE)
    await three.call(1)
    assert (three.session.refused, three.session.refreshes, await items(three)) == (0, 1, [])


async def test_a_process_killed_between_answer_and_commit_asks_for_a_person_within_one_attempt(
    three: Replicas,
) -> None:
    # Once all is well, so that there is a previous token to try.
    three.expire()
    await three.call(0)
    three.running[1].renewals.probe = killer("tokens-answered")
    three.expire()
    with pytest.raises(Killed):
        await three.call(1)
    asked = token_requests(three)
    three.clock.push(LEASE)
    with pytest.raises(ConnectionRefused) as caught:
        await three.call(2)
    assert caught.value.code == "bexio-reconnect-required"
    # The current token and, once, the one before it.
    assert token_requests(three) - asked == 2
    for number in range(6):
        with pytest.raises(ConnectionRefused):
            await three.call(number)
        three.clock.push(3600)
    assert token_requests(three) - asked == 2
    assert await items(three) == ["bexio-refresh-refused"]


async def test_while_another_replica_renews_nobody_else_asks_and_a_token_that_still_works_is_used(
    three: Replicas,
) -> None:
    hold = three.running[0].renewals.probe = Hold("before-renewal")
    three.clock.push(3600 - 30)
    async with asyncio.TaskGroup() as group:
        renewing = group.create_task(three.call(0))
        await hold.reached.wait()
        await three.call(1)
        await three.call(2)
        assert (three.session.refreshes, renewing.done()) == (0, False)
        hold.go_on.set()
    assert three.session.refreshes == 1


async def test_a_caller_that_gives_up_does_not_cut_the_renewal_off(three: Replicas) -> None:
    hold = three.running[0].renewals.probe = Hold("tokens-answered")
    three.expire()
    async with asyncio.TaskGroup() as group:
        caller = group.create_task(three.call(0))
        await hold.reached.wait()
        caller.cancel()
        hold.go_on.set()
    await three.running[0].renewals.close()
    await three.call(1)
    assert (three.session.refreshes, three.session.refused) == (1, 0)


async def test_an_answer_that_comes_after_the_lease_is_still_stored_and_mends_the_connection(
    three: Replicas,
) -> None:
    three.shop.world.realm.rules.reuse = "single_use"
    hold = three.running[0].renewals.probe = Hold("tokens-answered")
    three.expire()
    async with asyncio.TaskGroup() as group:
        frozen = group.create_task(three.call(0))
        await hold.reached.wait()
        three.clock.push(LEASE)
        with pytest.raises(ConnectionRefused):
            await three.call(1)
        assert await items(three) == ["bexio-refresh-refused"]
        hold.go_on.set()
        await frozen
    await three.call(2)
    assert await items(three) == []


async def test_a_refusal_that_comes_after_the_tenant_was_connected_anew_breaks_nothing(three: Replicas) -> None:
    hold = three.running[0].renewals.probe = Hold("before-renewal")
    three.session.is_ended = True
    three.expire()
    async with asyncio.TaskGroup() as group:
        group.create_task(three.call(0))
        await hold.reached.wait()
        async with office(three.tenant) as people:
            assert (await people.connected()).status_code == 200
        hold.go_on.set()
    assert await items(three) == []


async def test_work_that_meets_a_broken_connection_just_as_it_is_made_anew_comes_back_at_once(
    three: Replicas,
) -> None:
    shop, tenant = three.shop, three.tenant.id
    for code in ("bexio-reconnect-required", "bexio-not-connected"):
        late = ConnectionRefused(code, "bexio", 401)
        async with shop.db.begin(tenant) as session:
            now = shop.clock.now()
            outcome = await wait_for_connection(session, tenant, late, since=now - timedelta(minutes=1), now=now)
        assert outcome == Later(RECONNECTED_PAUSE, code, counted=True)
    assert await items(three) == []


@pytest.mark.parametrize("mode", [Mode.HTML, Mode.STORM_429])
async def test_a_sign_in_that_is_away_delays_and_breaks_nothing(three: Replicas, mode: Mode) -> None:
    three.shop.world.faults.add(Rule(mode, path="/token$", times=1, seconds=1))
    three.expire()
    with pytest.raises(RemoteUnavailable):
        await three.call(0)
    asked = token_requests(three)
    with pytest.raises(RemoteUnavailable) as caught:
        await three.call(1)
    assert (token_requests(three), caught.value.retry_after > 0) == (asked, True)
    three.clock.push(5)
    await three.call(2)
    assert (three.session.refreshes, await items(three)) == (1, [])


async def test_while_the_old_token_works_a_failing_renewal_is_no_failure(three: Replicas) -> None:
    three.shop.world.faults.add(Rule(Mode.UNAVAILABLE_503, path="/token$"))
    three.clock.push(3600 - 30)
    for number in range(4):
        await three.call(number)
    assert three.session.refreshes == 0


@pytest.mark.parametrize("mode", [Mode.RESET, Mode.HALF_PAGE])
async def test_a_lost_answer_shows_at_the_next_attempt_and_ends_with_a_person(three: Replicas, mode: Mode) -> None:
    three.expire()
    await three.call(0)
    three.shop.world.faults.add(Rule(mode, path="/token$", times=1))
    three.expire()
    with pytest.raises(RemoteUnavailable):
        await three.call(0)
    asked = token_requests(three)
    three.clock.push(5)
    with pytest.raises(ConnectionRefused):
        await three.call(1)
    assert token_requests(three) - asked == 2
    assert await items(three) == ["bexio-refresh-refused"]


async def test_the_previous_token_saves_the_tenant_when_bexio_itself_forgot_the_new_one(three: Replicas) -> None:
    first = three.session.refresh_token
    three.expire()
    await three.call(0)
    # A failover at bexio: it stands where it stood before the renewal.
    three.session.refresh_token = first
    three.session.used.clear()
    three.expire()
    await three.call(1)
    assert (three.session.is_ended, await items(three)) == (False, [])
    three.expire()
    await three.call(2)


async def test_a_realm_that_keeps_its_refresh_token_is_fine_as_well(three: Replicas) -> None:
    three.shop.world.realm.rules.answers_without_refresh_token = True
    for number in range(3):
        three.expire()
        await three.call(number)
    assert (three.session.refreshes, three.session.refused) == (3, 0)


async def test_a_token_that_the_api_refuses_is_renewed_once_and_then_a_person_is_asked(three: Replicas) -> None:
    # Withdrawn at the API before its time: one renewal, one more try.
    three.clock.push(120)
    for token in three.session.access_tokens:
        three.shop.world.revoke_token(token)
    await asyncio.gather(*(three.call(number) for number in range(9)))
    assert three.session.refreshes == 1
    # And where also the new one is refused, no loop.
    three.clock.push(120)
    three.shop.world.realm.rules.is_known_to_the_api = False
    for token in three.session.access_tokens:
        three.shop.world.revoke_token(token)
    for number in range(6):
        with pytest.raises(ConnectionRefused) as caught:
            await three.call(number)
        assert caught.value.code == "bexio-unauthorized"
    assert three.session.refreshes == 2


async def test_work_that_began_with_one_company_never_goes_on_with_another(three: Replicas) -> None:
    tenant, shop = three.tenant, three.shop
    client = await three.running[0].remotes.bexio(tenant.id, Priority.BULK)
    await client.users.me()
    # Nothing was sold yet: the company is given up, and another one is connected.
    assert (await tenant.call("DELETE", "/connection/bexio")).status_code == 204
    other = another_company(shop)
    async with office(tenant) as people:
        assert (await people.connected(other)).status_code == 200
    three.expire()
    asked = len(other.requests.tail)
    with pytest.raises(ConnectionRefused) as caught:
        await client.users.me()
    assert (caught.value.code, len(other.requests.tail)) == ("bexio-not-connected", asked)


async def test_tokens_that_arrive_after_another_company_was_connected_are_dropped(three: Replicas) -> None:
    tenant, shop = three.tenant, three.shop
    hold = three.running[0].renewals.probe = Hold("tokens-answered")
    three.expire()
    async with asyncio.TaskGroup() as group:
        renewing = group.create_task(settled(three.call(0)))
        await hold.reached.wait()
        assert (await tenant.call("DELETE", "/connection/bexio")).status_code == 204
        async with office(tenant) as people:
            assert (await people.connected(another_company(shop))).status_code == 200
            before = await people.row()
            hold.go_on.set()
            assert isinstance(await renewing, ConnectionRefused)
            assert await people.row() == before


async def test_a_write_that_was_refused_for_its_token_is_sent_again_once(three: Replicas) -> None:
    three.clock.push(120)
    for token in three.session.access_tokens:
        three.shop.world.revoke_token(token)
    document = await three.tenant.accepted()
    await three.shop.work()
    assert len(three.tenant.in_bexio(document)) == 1
    assert (await three.tenant.shown(document))["status"] == "issued"


async def test_a_broken_connection_lets_sales_wait_and_reconnecting_sends_them_in_order(shop: Shop) -> None:
    async with replicas(shop) as three:
        tenant = three.tenant
        await tenant.set(**settings_of(tenant.company), notification_emails=["chef@muster.ch"])
        three.session.is_ended = True
        for token in three.session.access_tokens:
            shop.world.revoke_token(token)
        documents = [await tenant.accepted() for _ in range(3)]
        three.clock.push(120)
        await shop.work()
        for document in documents:
            shown = await tenant.shown(document)
            assert (shown["status"], shown["attention"]) == ("accepted", None)
            assert shown["waiting"]["code"] == "bexio-reconnect-required"
        assert await items(three) == ["bexio-refresh-refused"]
        mails = await tenant.rows("select recipient from mail where template = 'mail-connection-lost'")
        assert [mail.recipient for mail in mails] == ["chef@muster.ch"]
        async with office(tenant) as people:
            assert (await people.connected()).status_code == 200
        await shop.work()
        numbers = [(await tenant.shown(document))["bexio"]["number"] for document in documents]
        assert numbers == sorted(numbers)
        assert await items(three) == []


async def test_keys_rotate_while_tokens_are_renewed_and_no_read_fails(three: Replicas) -> None:
    new = generate_key("new")
    ring = Vault(f"{new},{KEYS}")
    three.expire()
    await three.call(0)
    three.running = [with_vault(resources, ring) for resources in three.running]

    async def rotations() -> int:
        resealed = 0
        for _ in range(5):
            async for step in rotate(three.running[0].db, ring):
                resealed += step.resealed
                assert step.unreadable == ()
            await asyncio.sleep(0)
        return resealed

    async with asyncio.TaskGroup() as group:
        rotating = group.create_task(rotations())
        for _ in range(8):
            await three.round()
    assert (three.failures, three.session.refused, rotating.result() > 0) == ([], 0, True)
    [final] = await three.tenant.rows(SECRETS)
    alone = Vault(new)
    assert alone.open(three.tenant.id, REFRESH_SECRET, final.refresh_secret) == three.session.refresh_token
    assert alone.open(three.tenant.id, PREVIOUS_SECRET, final.previous_secret) in three.session.used
