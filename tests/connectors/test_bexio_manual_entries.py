"""Manual entries and the journal against the simulated bexio: bodies to the byte, pages that hide nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest

from app.connectors.bexio import manual_entries
from app.connectors.bexio.client import Bexio
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from sandbox.bexio import bookkeeping
from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company
from sandbox.bexio.faults import Mode, Rule
from sandbox.bexio.seed import COMPANY_ID, seed_shop
from sandbox.bexio.world import World
from tests.connectors import bexio_document
from tests.connectors.conftest import ManualClock

DAY = date(2026, 11, 20)
TOKEN = "sandbox-token"


class Listening(httpx.AsyncBaseTransport):
    """To the simulator; `before` is called with every request."""

    def __init__(self, world: World) -> None:
        self._inner = httpx.ASGITransport(create_app(world))
        self.before: Callable[[httpx.Request], None] = lambda _: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        return await self._inner.handle_async_request(request)


@pytest.fixture
def world(clock: ManualClock) -> World:
    world = World(clock.now, clock.sleep)
    seed_shop(world)
    world.add_token(COMPANY_ID, TOKEN)
    return world


@pytest.fixture
def company(world: World) -> Company:
    return world.company(COMPANY_ID)


@pytest.fixture
def wire(world: World) -> Listening:
    return Listening(world)


@pytest.fixture
def bexio(wire: Listening, clock: ManualClock) -> Bexio:
    clients = HttpClients(lambda _: wire)
    upstream = Upstream("bexio", COMPANY_ID, "http://bexio")
    return Bexio(Transport(upstream, clients, clock, f"Bearer {TOKEN}", jitter=lambda: 0.0))


def content(company: Company, reference: str = "muster/20261120/1", **more: object) -> bytes:
    cash, goods = company.account("1000")["id"], company.account("3200")["id"]
    line = {
        "debit_account_id": cash,
        "credit_account_id": goods,
        "tax_id": company.tax("UN81")["id"],
        "tax_account_id": goods,
        "description": "Umsatz Zürich",
        "amount": 108.1,
        "currency_id": 1,
        "currency_factor": 1,
        **more,
    }
    body = {"type": manual_entries.GROUP, "date": "2026-11-20", "reference_nr": reference, "entries": [line]}
    return json.dumps(body, ensure_ascii=False).encode()


def filled(company: Company, count: int) -> None:
    for number in range(1, count + 1):
        given = {"date": "2026-11-20", "debit": "1020", "credit": "1000", "amount": number, "reference_nr": str(number)}
        bookkeeping.add(company, given)


async def ids(bexio: Bexio, above: int = 0) -> list[int]:
    return [row.id async for page in bexio.manual_entries.pages(above=above) for row in page]


async def test_an_entry_is_sent_as_it_was_stored(bexio: Bexio, company: Company, wire: Listening) -> None:
    sent: list[bytes] = []
    wire.before = lambda request: sent.append(request.content)
    made = await bexio.manual_entries.create(content(company))
    assert sent == [content(company)]
    assert (made.id, made.reference_nr, made.date) == (1, "muster/20261120/1", DAY)
    assert made.entries[0].amount == Decimal("108.1")
    assert await bexio.manual_entries.newest() == made


@pytest.mark.skipif(not bexio_document.available(), reason="bexio's document is not at hand")
async def test_every_request_fits_bexios_document(bexio: Bexio, company: Company, wire: Listening) -> None:
    wire.before = bexio_document.check
    await bexio.manual_entries.create(content(company))
    assert await ids(bexio) == [1]
    assert [len(page) async for page in bexio.journal.pages(DAY, DAY)] == [2]


async def test_a_refusal_names_bexios_reasons(bexio: Bexio, company: Company) -> None:
    with pytest.raises(RemoteRejected, match="Account") as caught:
        await bexio.manual_entries.create(content(company, debit_account_id=999))
    assert "does not exist" in "; ".join(caught.value.reasons)


async def test_ids_missing_in_the_echo_are_no_fault(bexio: Bexio, company: Company) -> None:
    company.rules.echoes_null_ids = True
    made = await bexio.manual_entries.create(content(company))
    assert [line.id for line in made.entries] == [None]


@pytest.mark.parametrize("mode", [Mode.RESET, Mode.ERROR_AFTER_WRITE, Mode.HALF_PAGE, Mode.HTML])
async def test_a_lost_answer_leaves_the_outcome_open(bexio: Bexio, company: Company, world: World, mode: Mode) -> None:
    world.faults.add(Rule(mode, path="manual_entries", method="POST", times=1))
    with pytest.raises((OutcomeUnknown, ConnectionResetError)):
        await bexio.manual_entries.create(content(company))


async def test_the_newest_come_first_down_to_a_known_one(bexio: Bexio, company: Company) -> None:
    filled(company, 9)
    assert await ids(bexio, above=6) == [9, 8, 7]
    assert await ids(bexio, above=9) == []


async def test_pages_overlap_and_miss_nothing(
    bexio: Bexio, company: Company, wire: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manual_entries, "ROWS_PER_PAGE", 4)
    filled(company, 12)
    assert sorted(set(await ids(bexio))) == list(range(1, 13))
    removed: list[int] = []

    def meanwhile(request: httpx.Request) -> None:
        if request.url.params["offset"] != "0" and not removed:
            removed.extend([11, 12])
            for entry in removed:
                bookkeeping.delete(company, {"entry_id": entry})

    wire.before = meanwhile
    assert set(await ids(bexio)) >= set(range(1, 11))


async def test_pages_that_never_hold_still_are_given_up_for_now(
    bexio: Bexio, company: Company, wire: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manual_entries, "ROWS_PER_PAGE", 3)
    filled(company, 40)

    def meanwhile(request: httpx.Request) -> None:
        if request.url.params["offset"] != "0":
            for entry in sorted(company.manual_entries.rows)[-3:]:
                bookkeeping.delete(company, {"entry_id": entry})

    wire.before = meanwhile
    with pytest.raises(RemoteUnavailable):
        await ids(bexio)


async def test_the_journal_gives_days_as_days(bexio: Bexio, company: Company) -> None:
    await bexio.manual_entries.create(content(company))
    rows = [row async for page in bexio.journal.pages(DAY, DAY) for row in page]
    assert {(row.date, row.ref_id) for row in rows} == {(DAY, 1)}
    assert sum(row.booked for row in rows) == Decimal("108.1")
    assert [page async for page in bexio.journal.pages(date(2026, 11, 21), date(2026, 11, 30))] == []
