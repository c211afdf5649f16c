"""The simulated bexio's faults: what each lets happen, what the client sees, and that late writes land."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from sandbox.bexio.app import create_app
from sandbox.bexio.faults import Mode, Rule
from sandbox.bexio.faulty import ConnectionBroken
from sandbox.bexio.limits import Limits
from sandbox.bexio.seed import seed_shop
from sandbox.bexio.world import World
from sandbox.serving import serve
from tests.sandbox.bexio_shop import TOKEN, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize(
    ("mode", "status", "saved", "waited"),
    [
        (Mode.LATENCY, 201, 1, [7.0]),
        (Mode.TIMEOUT_AFTER_WRITE, 201, 1, [7.0]),
        (Mode.LATE_LANDING, 201, 1, [7.0]),
        (Mode.ERROR_AFTER_WRITE, 500, 1, []),
        (Mode.ERROR_BEFORE, 500, 0, []),
        (Mode.PARTIAL_500, 500, 1, []),
        (Mode.STORM_429, 429, 0, []),
        (Mode.UNAVAILABLE_503, 503, 0, []),
        (Mode.HTML, 502, 0, []),
        (Mode.HALF_PAGE, 201, 1, []),
    ],
)
async def test_each_fault_answers_and_saves_as_its_name_says(
    shop: Shop, mode: Mode, status: int, saved: int, waited: list[float]
) -> None:
    rule = shop.world.faults.add(Rule(mode, "POST", "/kb_invoice$", times=1, seconds=7))
    response = await shop.post("/2.0/kb_invoice", shop.sale())
    assert (response.status_code, len(shop.company.invoices), shop.slept) == (status, saved, waited)
    assert rule.struck == 1
    assert (await shop.post("/2.0/kb_invoice", shop.sale())).status_code == 201


async def test_a_partial_save_keeps_half_of_the_positions(shop: Shop) -> None:
    shop.world.faults.add(Rule(Mode.PARTIAL_500, "POST", "/kb_invoice$"))
    await shop.post("/2.0/kb_invoice", shop.sale(*[shop.line()] * 5, api_reference="k"))
    [saved] = shop.company.invoices
    assert (len(saved.positions), saved.api_reference, saved.status) == (2, "k", 7)


async def test_a_storm_tells_how_long_to_wait(shop: Shop) -> None:
    shop.world.faults.add(Rule(Mode.STORM_429, seconds=17))
    response = await shop.get("/2.0/contact")
    assert (response.status_code, response.headers["RateLimit-Reset"]) == (429, "17")


async def test_html_and_half_pages_are_no_json(shop: Shop) -> None:
    shop.world.faults.add(Rule(Mode.HTML, times=1))
    shop.world.faults.add(Rule(Mode.HALF_PAGE, times=1))
    page, half = await shop.get("/2.0/contact"), await shop.get("/2.0/contact")
    assert page.headers["content-type"].startswith("text/html")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        half.json()


async def test_a_reset_does_the_write_and_breaks_the_connection(shop: Shop) -> None:
    shop.world.faults.add(Rule(Mode.RESET, times=1))
    with pytest.raises(ConnectionBroken):
        await shop.post("/2.0/kb_invoice", shop.sale())
    assert len(shop.company.invoices) == 1
    assert [(each.status, each.fault) for each in shop.company.requests.tail] == [(0, "reset")]


async def test_a_slow_body_drips(shop: Shop) -> None:
    shop.world.faults.add(Rule(Mode.SLOW_BODY, seconds=20))
    response = await shop.get("/2.0/contact")
    assert (len(response.json()), sum(shop.slept)) == (66, pytest.approx(20))


class Patience:
    """A world whose waits end only when the client gives up."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 11, tzinfo=UTC)
        self.world = World(lambda: self.time, self._never)
        self.company = seed_shop(self.world)
        self.world.add_token(self.company.id, TOKEN)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.world)),
            base_url="http://bexio",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    async def _never(self, _seconds: float) -> None:
        await asyncio.Event().wait()

    async def give_up_on_a_group(self, name: str) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await self.client.post("/2.0/contact_group", json={"name": name})


async def test_a_write_whose_client_gave_up_is_done_at_once_or_lands_later() -> None:
    patience = Patience()
    groups = patience.company.contact_groups
    patience.world.faults.add(Rule(Mode.TIMEOUT_AFTER_WRITE, seconds=30, times=1))
    patience.world.faults.add(Rule(Mode.LATE_LANDING, seconds=60, times=1))
    await patience.give_up_on_a_group("sofort")
    await patience.give_up_on_a_group("später")
    assert [row["name"] for row in groups][5:] == ["sofort"]
    patience.time = patience.time.replace(second=59)
    assert len((await patience.client.get("/2.0/contact_group")).json()) == 6
    patience.time = patience.time.replace(minute=1, second=0)
    assert [row["name"] for row in (await patience.client.get("/2.0/contact_group")).json()][5:] == ["sofort", "später"]


async def test_late_writes_land_in_order_at_their_own_time() -> None:
    patience = Patience()
    body = {"contact_type_id": 2, "name_1": "Spät", "user_id": 1, "owner_id": 1}
    for seconds in (40, 20):
        patience.world.faults.add(Rule(Mode.LATE_LANDING, seconds=seconds, times=1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await patience.client.post("/2.0/contact", json={**body, "name_2": str(seconds)})
    patience.time = patience.time.replace(minute=5)
    patience.world.settle()
    landed = list(patience.company.contacts)[-2:]
    assert [(row["name_2"], row["updated_at"][-8:]) for row in landed] == [("20", "12:00:20"), ("40", "12:00:40")]


async def test_rules_strike_by_path_method_company_and_chance(shop: Shop) -> None:
    faults = shop.world.faults
    faults.add(Rule(Mode.ERROR_BEFORE, "POST", "/issue$"))
    assert (await shop.post("/2.0/kb_invoice", shop.sale())).status_code == 201
    assert (await shop.post("/2.0/kb_invoice/1/issue")).status_code == 500
    faults.clear()
    faults.add(Rule(Mode.ERROR_BEFORE, company_id="another"))
    assert (await shop.get("/2.0/contact")).status_code == 200
    faults.clear()
    faults.add(Rule(Mode.ERROR_BEFORE, probability=0.3, seed=7))
    statuses = [(await shop.get("/2.0/unit")).status_code for _ in range(200)]
    assert 30 < statuses.count(500) < 90
    faults.clear()
    faults.add(Rule(Mode.ERROR_BEFORE, probability=0.3, seed=7))
    assert [(await shop.get("/2.0/unit")).status_code for _ in range(200)] == statuses


@pytest.mark.parametrize("is_company_wide", [True, False])
async def test_an_outage_answers_nothing_but_503_or_breaks(shop: Shop, *, is_company_wide: bool) -> None:
    scope = {"company": shop.company.id} if is_company_wide else {}
    await shop.control("POST", "outage", {"mode": "unavailable", **scope})
    assert (await shop.post("/2.0/kb_invoice", shop.sale())).status_code == 503
    await shop.control("POST", "outage", {"mode": "refused", **scope})
    with pytest.raises(ConnectionBroken):
        await shop.post("/2.0/kb_invoice", shop.sale())
    await shop.control("POST", "outage", {"mode": None, **scope})
    assert len(shop.company.invoices) == 0
    assert (await shop.get("/2.0/contact")).status_code == 200


async def test_over_a_socket_a_reset_cuts_the_connection_and_a_client_time_out_does_not_stop_the_write() -> None:
    world = World(lambda: datetime(2026, 11, 20, 11, tzinfo=UTC))
    world.limits = Limits(enabled=False)
    company = seed_shop(world)
    world.add_token(company.id, TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        serve({"bexio": create_app(world, served=True)}, "127.0.0.1", {}) as urls,
        httpx.AsyncClient(base_url=urls["bexio"], headers=headers) as client,
    ):
        world.faults.add(Rule(Mode.RESET, times=1))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/2.0/contact_group", json={"name": "a"})
        world.faults.add(Rule(Mode.TIMEOUT_AFTER_WRITE, seconds=0.5, times=1))
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/2.0/contact_group", json={"name": "b"}, timeout=0.1)
        found = (await client.get("/2.0/contact_group")).json()
    assert [row["name"] for row in found][5:] == ["a", "b"]
