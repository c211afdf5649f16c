"""Documents in Postgres: accepted in one statement, shown with what waits, projected from their operation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.documents.schemas import Sale
from app.core.errors import NotFound

KIND = "document"

ACCEPT = text(
    "select a.outcome, (a.stored).*, a.attention_id, a.attention_code, a.attention_params"
    " from accept_document(:tenant, :key_hash, :version, :id, :operation, :source, :transaction_id, :number, :date,"
    " :content, :hash, :total, :priority, :now) a"
).bindparams(bindparam("content", type_=JSONB))

_SHOWN = """
select d.*, case
        when d.status in ('accepted', 'attention') and o.state <> 'parked' and a.id is null
            then case when o.step = 'new' then 'accepted' else 'sending' end
        else d.status
    end as shown_status,
    o.state as work_state, o.reason as work_reason, o.next_attempt_at as next_attempt_at,
    a.id as attention_id, a.code as attention_code, a.params as attention_params, a.created_at as attention_at
from document d
join operation o on o.kind = 'document' and o.subject_id = d.id
left join lateral (
    select * from attention i where i.tenant_id = d.tenant_id and i.subject_kind = 'document' and i.subject_id = d.id
    and i.state = 'open' order by i.created_at limit 1
) a on true
"""
_SHOW = text(f"{_SHOWN} where d.id = :id and d.source = :source")
_LIST = text(  # the pieces are constants of this module
    f"select * from ({_SHOWN} where d.source = :source"  # noqa: S608
    " and (cast(:status as text) is null or :status in ('issued', 'cancelled')"
    " or d.status in ('accepted', 'attention'))"
    " and (cast(:since as date) is null or d.sale_date >= :since)"
    " and (cast(:until as date) is null or d.sale_date <= :until)"
    " and (cast(:after_at as timestamptz) is null"
    " or (d.created_at, d.id) < (:after_at, cast(:after_id as uuid)))) x"
    " where (cast(:status as text) is null or x.shown_status = :status)"
    " order by x.created_at desc, x.id desc limit :fetch"
)
_LOCK = text("select * from document where id = :id and source = :source for update")
_READ = text("select * from document where id = :id")
_PROJECT = text(
    "update document set status = case when goal = :goal then :status else status end,"
    " contact_bexio_id = coalesce(:contact, contact_bexio_id),"
    " bexio_id = :bexio_id, bexio_number = :bexio_number, bexio_total = :bexio_total, bexio_status = :bexio_status,"
    " bexio_open = :bexio_open, updated_at = :now where id = :id"
)
_GOAL = text("update document set goal = :goal, status = :status, updated_at = :now where id = :id")
_FOLLOW = text(
    "update document d set bexio_status = i.status, bexio_open = i.open, bexio_total = i.total, updated_at = :now"
    " from unnest(cast(:ids as bigint[]), cast(:statuses as text[]), cast(:opens as numeric[]),"
    " cast(:totals as numeric[])) as i (bexio_id, status, open, total)"
    " where d.tenant_id = cast(current_setting('connector.tenant') as uuid) and d.bexio_id = i.bexio_id"
    " and (d.bexio_status, d.bexio_open, d.bexio_total) is distinct from (i.status, i.open, i.total)"
)
_ARTICLES = text(
    "select arcavis_id, bexio_id, account_id from article_link"
    " where arcavis_id = any(cast(:ids as text[])) and state = 'active'"
)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the pipeline needs it."""

    id: UUID
    tenant: UUID
    source: str
    sale: Sale
    status: str
    goal: str
    bexio_id: int | None


@dataclass(frozen=True, slots=True)
class BexioFacts:
    """The invoice in bexio, as last seen: kept in the operation's memo, projected onto the document."""

    id: int
    number: str | None
    total: Decimal
    status: str
    open: Decimal

    def to_memo(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "id": self.id,
            "number": self.number,
            "total": str(self.total),
            "status": self.status,
            "open": str(self.open),
        }

    @classmethod
    def from_memo(cls, memo: dict[str, Any]) -> BexioFacts:
        """Back from JSON values."""
        return cls(memo["id"], memo["number"], Decimal(memo["total"]), memo["status"], Decimal(memo["open"]))


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """A till article that exists in bexio."""

    bexio_id: int
    account_id: int | None


def content_of(sale: Sale) -> tuple[dict[str, Any], bytes]:
    """A sale as stored, and the fingerprint by which a repeated sale is recognised."""
    content = sale.model_dump(mode="json", exclude_none=True)
    return content, hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


async def show(session: AsyncConnection, document: UUID, source: str) -> Row[Any]:
    """One document with what waits.

    Raises:
        NotFound: this tenant has no such document.
    """
    row = (await session.execute(_SHOW, {"id": document, "source": source})).first()
    if row is None:
        raise NotFound("document-not-found")
    return row


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list of documents is narrowed to: first and last day of sale, and a status."""

    source: str
    status: str | None = None
    since: date | None = None
    until: date | None = None


async def listing(session: AsyncConnection, wanted: Listing, page: Mapping[str, Any]) -> list[Row[Any]]:
    """Documents, newest first; `page` as `app.api.pagination.Paging.values`."""
    narrowed = {"source": wanted.source, "status": wanted.status, "since": wanted.since, "until": wanted.until}
    return list((await session.execute(_LIST, {**narrowed, **page})).all())


def _stored(row: Row[Any]) -> StoredDocument:
    return StoredDocument(
        id=row.id,
        tenant=row.tenant_id,
        source=row.source,
        sale=Sale.model_validate(row.content),
        status=row.status,
        goal=row.goal,
        bexio_id=row.bexio_id,
    )


async def read(session: AsyncConnection, document: UUID) -> StoredDocument:
    """A document for the pipeline.

    Raises:
        NotFound: this tenant has no such document.
    """
    row = (await session.execute(_READ, {"id": document})).first()
    if row is None:
        raise NotFound("document-not-found")
    return _stored(row)


async def lock(session: AsyncConnection, document: UUID, source: str) -> StoredDocument:
    """The same, locked until the transaction ends.

    Raises:
        NotFound: this tenant has no such document.
    """
    row = (await session.execute(_LOCK, {"id": document, "source": source})).first()
    if row is None:
        raise NotFound("document-not-found")
    return _stored(row)


async def project(
    session: AsyncConnection,
    document: UUID,
    *,
    goal: str,
    status: str,
    contact: int | None,
    facts: BexioFacts | None,
    now: datetime,
) -> None:
    """Writes what the pipeline found out onto the document; the status only while the `goal` is the one it had."""
    values = {
        "id": document,
        "goal": goal,
        "status": status,
        "contact": contact,
        "bexio_id": facts.id if facts else None,
        "bexio_number": facts.number if facts else None,
        "bexio_total": facts.total if facts else None,
        "bexio_status": facts.status if facts else None,
        "bexio_open": facts.open if facts else None,
        "now": now,
    }
    await session.execute(_PROJECT, values)


async def set_goal(session: AsyncConnection, document: UUID, *, goal: str, status: str, now: datetime) -> None:
    """What the pipeline shall reach: `issued` or `cancelled`."""
    await session.execute(_GOAL, {"id": document, "goal": goal, "status": status, "now": now})


async def follow(session: AsyncConnection, seen: Sequence[BexioFacts], now: datetime) -> None:
    """Notes how invoices stand in bexio; those that are none of ours are passed over."""
    values = {
        "ids": [facts.id for facts in seen],
        "statuses": [facts.status for facts in seen],
        "opens": [facts.open for facts in seen],
        "totals": [facts.total for facts in seen],
        "now": now,
    }
    await session.execute(_FOLLOW, values)


async def article_links(session: AsyncConnection, ids: list[str]) -> dict[str, ArticleLink]:
    """The linked ones among till articles."""
    rows = await session.execute(_ARTICLES, {"ids": ids})
    return {row.arcavis_id: ArticleLink(row.bexio_id, row.account_id) for row in rows}
