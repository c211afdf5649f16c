"""What we keep of articles: links with what was last written and the mark of their stock, what Arcavis has, problems.

Look-ups by many keys take the lateral form: on tables that were never analysed, `= any` makes Postgres filter every
row of the tenant for each page (reference: plan trap of bulk imports).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.articles.wanted import Problem

STOCK_PROBLEMS = ("article-stock-refused", "article-stock-unread", "article-outcome-unknown")
GONE_IN_BEXIO, GONE_IN_ARCAVIS = "article-gone-in-bexio", "article-deleted-in-arcavis"

_LINKS = text(
    "select l.* from unnest(cast(:ids as bigint[])) u(id) cross join lateral (select bexio_id, arcavis_id, number_key,"
    " fingerprint, account_id, state, reason, run_id, outcome, stock_state from article_link"
    " where tenant_id = :tenant and bexio_id = u.id offset 0) l"
)
_OWNERS = text(
    "select l.* from unnest(cast(:keys as text[])) u(key) cross join lateral (select number_key, bexio_id"
    " from article_link where tenant_id = :tenant and number_key = u.key and state = 'active' offset 0) l"
)
_HOLDERS = text(
    "select l.* from unnest(cast(:ids as text[])) u(id) cross join lateral (select arcavis_id, bexio_id"
    " from article_link where tenant_id = :tenant and arcavis_id = u.id and state = 'active' offset 0) l"
)
_KNOWN = text(
    "select a.* from unnest(cast(:keys as text[])) u(key) cross join lateral (select number_key, arcavis_id"
    " from arcavis_article where tenant_id = :tenant and number_key = u.key offset 0) a"
)
_NUMBERS = text(
    "select a.* from unnest(cast(:ids as text[])) u(id) cross join lateral (select arcavis_id, number_key"
    " from arcavis_article where tenant_id = :tenant and arcavis_id = u.id offset 0) a"
)
_IN_SPAN = text(
    "select bexio_id from article_link where tenant_id = :tenant and bexio_id > :after and bexio_id <= :upto"
    " and state = 'active'"
)
_END = text(
    "update article_link l set state = 'inactive', reason = :reason, updated_at = :now"
    " from unnest(cast(:ids as bigint[])) u(id) where l.tenant_id = :tenant and l.bexio_id = u.id"
)
# Another article of bexio has the number now: what it is linked to in Arcavis goes over to it.
_LEAVE = text(
    "delete from article_link l using unnest(cast(:arcavis_ids as text[]), cast(:bexio_ids as bigint[]))"
    " u (arcavis_id, bexio_id) where l.tenant_id = :tenant and l.arcavis_id = u.arcavis_id"
    " and l.bexio_id <> u.bexio_id and l.state = 'inactive'"
)
_SAVE = text(
    "insert into article_link as l (tenant_id, arcavis_id, bexio_id, account_id, state, number, number_key,"
    " fingerprint, run_id, outcome, stock_state, stock, stock_store_id, stock_at, stock_run_id, created_at,"
    " updated_at) select :tenant, arcavis_id, bexio_id, account_id, 'active', number, number_key, fingerprint, :run,"
    " outcome, stock_state, stock, stock_store_id,"
    " case when stock_state is not null then cast(:now as timestamptz) end,"
    " case when stock_state is not null then cast(:run as uuid) end, :now, :now"
    " from unnest(cast(:arcavis_ids as text[]), cast(:bexio_ids as bigint[]), cast(:accounts as bigint[]),"
    " cast(:numbers as text[]), cast(:keys as text[]), cast(:fingerprints as bytea[]), cast(:outcomes as text[]),"
    " cast(:stock_states as text[]), cast(:stocks as numeric[]), cast(:stores as bigint[]))"
    " u (arcavis_id, bexio_id, account_id, number, number_key, fingerprint, outcome, stock_state, stock,"
    " stock_store_id)"
    " on conflict (tenant_id, bexio_id) do update set arcavis_id = excluded.arcavis_id,"
    " account_id = excluded.account_id, state = 'active', reason = null, number = excluded.number,"
    " number_key = excluded.number_key, fingerprint = excluded.fingerprint, run_id = excluded.run_id,"
    " outcome = excluded.outcome, updated_at = excluded.updated_at,"
    # The mark of the stock is set once and never taken back.
    " stock_state = coalesce(l.stock_state, excluded.stock_state),"
    " stock = case when l.stock_state is null then excluded.stock else l.stock end,"
    " stock_store_id = case when l.stock_state is null then excluded.stock_store_id else l.stock_store_id end,"
    " stock_at = case when l.stock_state is null then excluded.stock_at else l.stock_at end,"
    " stock_run_id = case when l.stock_state is null then excluded.stock_run_id else l.stock_run_id end"
)
_FORGET_PROBLEMS = text(
    "delete from article_problem where tenant_id = :tenant and bexio_id > :after and bexio_id <= :upto"
    # What the run found of an article's stock before it came to the article still holds.
    " and not (run_id = :run and code = any(:kept))"
)
_FORGET_STOCK_PROBLEMS = text(
    "delete from article_problem p using unnest(cast(:ids as bigint[])) u(id) where p.tenant_id = :tenant"
    " and p.bexio_id = u.id and p.code = any(:codes)"
)
_FORGET_OLD_PROBLEMS = text("delete from article_problem where tenant_id = :tenant and run_id <> :run")
_PROBLEMS = text(
    "insert into article_problem (tenant_id, bexio_id, run_id, code, params, number, name)"
    " select :tenant, bexio_id, :run, code, cast(params as jsonb), number, name"
    " from unnest(cast(:ids as bigint[]), cast(:codes as text[]), cast(:params as text[]), cast(:numbers as text[]),"
    " cast(:names as text[])) u (bexio_id, code, params, number, name)"
    " on conflict (tenant_id, bexio_id) do update set run_id = excluded.run_id, code = excluded.code,"
    " params = excluded.params, number = excluded.number, name = excluded.name"
)
_LIST_PROBLEMS = text(
    "select bexio_id, code, params, number, name from article_problem where tenant_id = :tenant and run_id = :run"
    " order by bexio_id limit :most"
)
_COUNT_PROBLEMS = text("select count(*) from article_problem where tenant_id = :tenant and run_id = :run")
_SEEN = text(
    "insert into arcavis_article (tenant_id, arcavis_id, number_key) select :tenant, id, key"
    " from unnest(cast(:ids as text[]), cast(:keys as text[])) u (id, key)"
    " on conflict (tenant_id, arcavis_id) do update set number_key = excluded.number_key"
    " where arcavis_article.number_key <> excluded.number_key"
)
_UNSEEN = text(
    "delete from arcavis_article a using unnest(cast(:ids as text[])) u(id)"
    " where a.tenant_id = :tenant and a.arcavis_id = u.id"
)
_DELETED = text(
    "update article_link l set state = 'inactive', reason = :reason, updated_at = :now"
    " from unnest(cast(:ids as text[])) u(id) where l.tenant_id = :tenant and l.arcavis_id = u.id"
    " and l.state = 'active'"
)
_BACK = text(
    "update article_link l set state = 'active', reason = null, updated_at = :now"
    " from unnest(cast(:ids as text[])) u(id) where l.tenant_id = :tenant and l.arcavis_id = u.id"
    " and l.state = 'inactive' and l.reason = :reason"
)
_END_UNKNOWN = text(
    "update article_link l set state = 'inactive', reason = :reason, updated_at = :now where l.tenant_id = :tenant"
    " and l.state = 'active' and not exists (select from arcavis_article a where a.tenant_id = l.tenant_id"
    " and a.arcavis_id = l.arcavis_id)"
)
_HIGHEST = text(
    "select coalesce(max(cast(arcavis_id as bigint)), 0) from arcavis_article where tenant_id = :tenant"
    " and arcavis_id ~ '^[0-9]{1,18}$'"
)
_FORGET_ARCAVIS = text("delete from arcavis_article where tenant_id = :tenant")


@dataclass(frozen=True, slots=True)
class Link:
    """Which Arcavis article an article of bexio is, and what was last written of it."""

    bexio_id: int
    arcavis_id: str
    number_key: str | None
    fingerprint: bytes | None
    account_id: int | None
    state: str
    reason: str | None
    run_id: UUID | None
    outcome: str | None
    stock_state: str | None


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to keep. `stock_state` is None where the stock was not looked at yet."""

    arcavis_id: str
    bexio_id: int
    account_id: int | None
    number: str
    number_key: str
    fingerprint: bytes
    outcome: str
    stock_state: str | None = None
    stock: Decimal | None = None
    stock_store_id: int | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """An article with what is wrong with it."""

    bexio_id: int
    problem: Problem
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """The ids above `after`, up to `upto`: what one batch is about."""

    after: int
    upto: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is known about the articles of a page: links by bexio id, and who else has their numbers."""

    links: Mapping[int, Link]
    owners: Mapping[str, int]
    """number key -> the bexio article whose link has it"""
    known: Mapping[str, str]
    """number key -> the Arcavis article that has it"""
    numbers: Mapping[str, str]
    """Arcavis id -> its number key there"""
    holders: Mapping[str, int] = field(default_factory=dict[str, int])
    """Arcavis id -> the bexio article that it is linked to"""
    missing: frozenset[int] = field(default_factory=frozenset[int])
    """linked articles of the span that bexio no longer has"""


async def neighbours(
    session: AsyncConnection, tenant: UUID, span: Span, ids: Sequence[int], keys: Sequence[str]
) -> Neighbours:
    """Everything that decides what happens to the articles of a page."""
    of_ids = {"tenant": tenant, "ids": list(ids)}
    rows = (await session.execute(_LINKS, of_ids)).mappings()
    links = {row["bexio_id"]: Link(**row) for row in rows}
    of_keys = {"tenant": tenant, "keys": list(keys)}
    owners = await session.execute(_OWNERS, of_keys)
    known = {row.number_key: row.arcavis_id for row in await session.execute(_KNOWN, of_keys)}
    holders = await session.execute(_HOLDERS, {"tenant": tenant, "ids": list(known.values())})
    linked = [link.arcavis_id for link in links.values()]
    numbers = await session.execute(_NUMBERS, {"tenant": tenant, "ids": linked})
    in_span = await session.execute(_IN_SPAN, {"tenant": tenant, "after": span.after, "upto": span.upto})
    return Neighbours(
        links=links,
        owners={row.number_key: row.bexio_id for row in owners},
        known=known,
        holders={row.arcavis_id: row.bexio_id for row in holders},
        numbers={row.arcavis_id: row.number_key for row in numbers},
        missing=frozenset(in_span.scalars()) - set(ids),
    )


async def save(session: AsyncConnection, tenant: UUID, run: UUID, links: Sequence[NewLink], now: datetime) -> None:
    """Keeps links; what they know of their stock already stays as it is."""
    if not links:
        return
    values: dict[str, Any] = {
        "tenant": tenant,
        "run": run,
        "now": now,
        "arcavis_ids": [link.arcavis_id for link in links],
        "bexio_ids": [link.bexio_id for link in links],
        "accounts": [link.account_id for link in links],
        "numbers": [link.number for link in links],
        "keys": [link.number_key for link in links],
        "fingerprints": [link.fingerprint for link in links],
        "outcomes": [link.outcome for link in links],
        "stock_states": [link.stock_state for link in links],
        "stocks": [link.stock for link in links],
        "stores": [link.stock_store_id for link in links],
    }
    await session.execute(_LEAVE, {name: values[name] for name in ("tenant", "arcavis_ids", "bexio_ids")})
    await session.execute(_SAVE, values)
    await session.execute(_SEEN, {"tenant": tenant, "ids": values["arcavis_ids"], "keys": values["keys"]})


async def end_missing(session: AsyncConnection, tenant: UUID, ids: frozenset[int], now: datetime) -> None:
    """These articles are no longer in bexio: invoices must not name them."""
    if ids:
        values = {"tenant": tenant, "ids": sorted(ids), "reason": GONE_IN_BEXIO, "now": now}
        await session.execute(_END, values)


async def replace_problems(
    session: AsyncConnection, tenant: UUID, run: UUID, span: Span, troubles: Sequence[Trouble]
) -> None:
    """The problems of a span's articles are these, and no others."""
    values = {"tenant": tenant, "run": run, "after": span.after, "upto": span.upto, "kept": list(STOCK_PROBLEMS)}
    await session.execute(_FORGET_PROBLEMS, values)
    await add_problems(session, tenant, run, troubles)


async def add_problems(session: AsyncConnection, tenant: UUID, run: UUID, troubles: Sequence[Trouble]) -> None:
    """These articles have these problems, whatever they had before."""
    if troubles:
        values = {
            "tenant": tenant,
            "run": run,
            "ids": [one.bexio_id for one in troubles],
            "codes": [one.problem.code for one in troubles],
            "params": [orjson.dumps(dict(one.problem.params)).decode() for one in troubles],
            "numbers": [one.number for one in troubles],
            "names": [one.name for one in troubles],
        }
        await session.execute(_PROBLEMS, values)


async def forget_stock_problems(session: AsyncConnection, tenant: UUID, ids: Sequence[int]) -> None:
    """What was wrong with the stock of these articles is cleared up."""
    if ids:
        values = {"tenant": tenant, "ids": list(ids), "codes": list(STOCK_PROBLEMS)}
        await session.execute(_FORGET_STOCK_PROBLEMS, values)


async def forget_old_problems(session: AsyncConnection, tenant: UUID, run: UUID) -> None:
    """After a whole reading, what an earlier one found no longer counts."""
    await session.execute(_FORGET_OLD_PROBLEMS, {"tenant": tenant, "run": run})


async def problems(session: AsyncConnection, tenant: UUID, run: UUID, most: int) -> tuple[list[dict[str, Any]], int]:
    """The first problems of a run as its detail lists them, and how many there are in all."""
    rows = (await session.execute(_LIST_PROBLEMS, {"tenant": tenant, "run": run, "most": most})).mappings()
    count = (await session.execute(_COUNT_PROBLEMS, {"tenant": tenant, "run": run})).scalar_one()
    return [dict(row) for row in rows], count


async def saw_in_arcavis(
    session: AsyncConnection, tenant: UUID, numbers: Mapping[str, str], deleted: Sequence[str], now: datetime
) -> None:
    """Arcavis has articles with these numbers by id, and no longer those that were deleted there."""
    if numbers:
        await session.execute(_SEEN, {"tenant": tenant, "ids": list(numbers), "keys": list(numbers.values())})
        back = {"tenant": tenant, "ids": list(numbers), "reason": GONE_IN_ARCAVIS, "now": now}
        await session.execute(_BACK, back)
    if deleted:
        await session.execute(_UNSEEN, {"tenant": tenant, "ids": list(deleted)})
        await session.execute(_DELETED, {"tenant": tenant, "ids": list(deleted), "reason": GONE_IN_ARCAVIS, "now": now})


async def highest_in_arcavis(session: AsyncConnection, tenant: UUID) -> int:
    """The highest id of an article that Arcavis showed, 0 for none."""
    return (await session.execute(_HIGHEST, {"tenant": tenant})).scalar_one()


async def forget_arcavis(session: AsyncConnection, tenant: UUID) -> None:
    """Before everything is read anew."""
    await session.execute(_FORGET_ARCAVIS, {"tenant": tenant})


async def end_unknown(session: AsyncConnection, tenant: UUID, now: datetime) -> None:
    """After everything was read anew: what Arcavis did not show is gone there."""
    await session.execute(_END_UNKNOWN, {"tenant": tenant, "reason": GONE_IN_ARCAVIS, "now": now})
