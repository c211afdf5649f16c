"""How such an import is often written: record by record, each read, written and committed before the next.

A stand-in of our own, not a measurement of any named product.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import httpx

from benchmarks.database import plain
from benchmarks.shops import PASSWORD, SLUG, TOKEN, Field

PAGE = 500

_TABLE = "create table naive (id bigint primary key, other bigint not null, hash text not null)"
_KNOWN = "select other, hash from naive where id = $1"
_KEEP = (
    "insert into naive values ($1, $2, $3) on conflict (id) do update set other = excluded.other, hash = excluded.hash"
)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds, and requests to bexio."""

    seconds: float
    bexio: int


async def import_all(field: Field, name: str, resource: str) -> float:
    """Imports all contacts or articles; returns the seconds."""
    target, make = _TARGETS[name]
    connect: Any = getattr(asyncpg, "connect")  # noqa: B009 - untyped
    connection = await connect(plain(field.database))
    bexio = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    began = time.monotonic()
    try:
        await connection.execute(_TABLE)
        async with (
            httpx.AsyncClient(base_url=field.bexio_url, headers=bexio, timeout=60) as source,
            httpx.AsyncClient(base_url=f"{field.arcavis_url}/{SLUG}", auth=("webapi", PASSWORD), timeout=60) as sink,
        ):
            offset = 0
            while rows := (await source.get(f"/2.0/{resource}", params={"limit": PAGE, "offset": offset})).json():
                for row in rows:
                    full = (await source.get(f"/2.0/{resource}/{row['id']}")).json()
                    full.pop("profile_image", None)
                    mark = hashlib.sha256(json.dumps(full, sort_keys=True).encode()).hexdigest()
                    known = await connection.fetchrow(_KNOWN, row["id"])
                    if known is None or known["hash"] != mark:
                        made = (await sink.post(f"/api/{target}", json=make(full))).json()["Result"] or 0
                        if full.get("is_stock"):
                            stock = {"ArticleId": made, "StoreId": 1, "Stock": full["stock_nr"]}
                            await sink.post("/api/articlestocks", json=stock)
                        await connection.execute(_KEEP, row["id"], made, mark)
                offset += len(rows)
    finally:
        await connection.close()
    return time.monotonic() - began


def _customer(row: Mapping[str, Any]) -> dict[str, Any]:
    is_company = row["contact_type_id"] == 1
    return {
        "CustomerNumber": row["nr"],
        "IsCompany": is_company,
        "CompanyName": row["name_1"] if is_company else "",
        "Name": "" if is_company else row["name_1"],
        "Firstname": "" if is_company else row["name_2"],
        "Street": row["street_name"] or "",
        "StreetNumber": row["house_number"] or "",
        "Zip": row["postcode"] or "",
        "City": row["city"] or "",
        "ContactEmail": row["mail"] or "",
        "ContactPhone": row["phone_fixed"] or "",
    }


def _article(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ArticleNumber": row["intern_code"],
        "Title": row["intern_name"],
        "Price": row["sale_price"],
        "TaxId": 1,
        "UnitId": 1,
    }


_TARGETS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "contacts": ("customers", _customer),
    "articles": ("articles", _article),
}
