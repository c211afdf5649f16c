"""A shop whose bexio has articles and whose Arcavis has none yet, and what a test asks of its imports."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from sandbox.arcavis.table import Table
from sandbox.arcavis.tenant import Tenant as Environment
from sandbox.bexio import articles
from tests.fixtures.shop import Body, Shop, Tenant

SAVED, STOCKED = "POST /api/articles", "POST /api/articlestocks"


async def article_shop(shop: Shop, slug: str = "muster", **seed: Any) -> Tenant:  # noqa: ANN401 - of seed_shop
    """A connected tenant whose Arcavis has no article; prices in bexio include VAT."""
    tenant = await shop.tenant(slug, **seed)
    empty(environment(tenant))
    await tenant.set(article_prices_include_vat=True)
    shop.arcavis.requests.clear()
    return tenant


def environment(tenant: Tenant) -> Environment:
    return tenant.shop.arcavis.tenant(tenant.slug)


def empty(arcavis: Environment) -> None:
    """No article, as in an environment that was just made."""
    arcavis.articles = Table(arcavis.ticks, first_id=1701, key="ArticleNumber")
    arcavis.stocks = Table(arcavis.ticks)


async def begin(tenant: Tenant, *, dry_run: bool = False) -> str:
    """Starts an import; returns the run's id."""
    answer = await tenant.post("/articles/import", {"dry_run": dry_run})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


async def shown(tenant: Tenant, run: str) -> Body:
    answer = await tenant.get(f"/runs/{run}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def imported(tenant: Tenant, *, dry_run: bool = False) -> Body:
    """An import that was done: the run."""
    run = await begin(tenant, dry_run=dry_run)
    await tenant.shop.work()
    found = await shown(tenant, run)
    assert found["state"] == "done", found
    return found


def counts(run: Body) -> dict[str, int]:
    """The figures that are not zero, without how far the run is."""
    assert run["counts"].get("done", 0) == run["counts"].get("read", 0)
    return {name: value for name, value in run["counts"].items() if value and name != "done"}


def problems(run: Body) -> dict[int, str]:
    return {one["bexio_id"]: one["code"] for one in run["detail"]["problems"]}


def notes(run: Body) -> list[str]:
    return [one["code"] for one in run["detail"]["notes"]]


def writes(tenant: Tenant) -> dict[str, int]:
    return tenant.shop.arcavis.requests.writes(tenant.slug)


def add(tenant: Tenant, number: str, **fields: object) -> int:
    """An article in bexio that nothing is wrong with."""
    tax = tenant.company.tax("UN81")["id"]
    usual: Body = {"intern_code": number, "intern_name": f"Ware {number}", "sale_price": "10.80", "unit_id": 1}
    return articles.add(tenant.company, usual | {"tax_income_id": tax, "tax_id": tax} | fields)["id"]


def only(tenant: Tenant) -> None:
    """bexio has no article yet."""
    tenant.company.articles.clear()


def in_till(tenant: Tenant, number: str) -> Body:
    """The one article in Arcavis with this number, deleted or not."""
    found = [row for row in every(tenant) if row["ArticleNumber"] == number]
    assert len(found) == 1, found
    return found[0]


def every(tenant: Tenant) -> list[Body]:
    arcavis = environment(tenant)
    return [arcavis.articles.get(each) for each in range(1701, arcavis.articles.next_id)]


def doubled(tenant: Tenant) -> list[str]:
    """Numbers that Arcavis has more than once."""
    return [number for number, count in Counter(row["ArticleNumber"] for row in every(tenant)).items() if count > 1]


def level(tenant: Tenant, number: str, store: int = 1) -> Decimal | None:
    return environment(tenant).stock_levels(in_till(tenant, number)["Id"]).get(store)
