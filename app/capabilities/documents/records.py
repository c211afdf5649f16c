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
from app.capabilities.tenancy.config import TenantConfig, from_row
from app.connectors.access import BEXIO_COLUMNS
from app.core.errors import Conflict, NotFound
from app.core.money import plain
from app.db.session import Database
from app.db.statements import Record

KIND = "document"
# What is answered by naming the customer's contact in bexio.
CONTACT_QUESTIONS = ["contact-ambiguous", "contact-gone", "contact-rejected"]

ACCEPT = text(
    "select a.outcome, (a.shown).*"
    " from accept_document(:tenant, :key_hash, :version, :id, :operation, :source, :transaction_id, :number, :date,"
    " :content, :hash, :total, :priority, :now) a"
).bindparams(bindparam("content", type_=JSONB))
_KNOWN = text(
    "select case when d.content_hash = :hash then 'same' else 'other' end as outcome, s.*"
    " from document d join shown_document s on s.id = d.id"
    " where d.tenant_id = :tenant and d.source = :source and d.transaction_id = :transaction_id"
)
_SHOW = text("select * from show_document(:tenant, :id, :source)")

_LIST = text(
    "select * from shown_document where source = :source"
    " and (cast(:status as text) is null or :status in ('issued', 'cancelled') or status in ('accepted', 'attention'))"
    " and (cast(:since as date) is null or sale_date >= :since)"
    " and (cast(:until as date) is null or sale_date <= :until)"
    " and (cast(:after_at as timestamptz) is null or (created_at, id) < (:after_at, cast(:after_id as uuid)))"
    " and (cast(:status as text) is null or shown_status = :status)"
    " order by created_at desc, id desc limit :fetch"
)
_LOCK = text("select * from document where id = :id and source = :source for update")
_OPEN = text(  # the columns are a constant
    f"select d.*, {BEXIO_COLUMNS} from open_document(:tenant, :id) d"  # noqa: S608
    " left join open_bexio_connection(:tenant) on true"
)
_PROJECT = text(
    "select project_document(:document, :goal, :status, :contact, :bexio_id, :bexio_number, :bexio_total,"
    " :bexio_status, :bexio_open, :current, :now)"
)
SETTLE = text(
    "select settle_document(:tenant, :id, :fence, :seen, :state, :due, :attempts, :reason, :step, :memo, :now,"
    " :document, :goal, :status, :contact, :bexio_id, :bexio_number, :bexio_total, :bexio_status, :bexio_open,"
    " :current) as settled"
).bindparams(bindparam("memo", type_=JSONB))
_ASKED = text(
    "select 1 from attention where tenant_id = :tenant and subject_kind = 'document' and subject_id = :document"
    " and state = 'open' and code = any(cast(:codes as text[]))"
)
_GOAL = text("update document set goal = :goal, status = :status, updated_at = :now where id = :id")
_FOLLOW = text(
    "update document d set bexio_status = i.status, bexio_open = i.open, bexio_total = i.total, updated_at = :now"
    " from unnest(cast(:ids as bigint[]), cast(:statuses as text[]), cast(:opens as numeric[]),"
    " cast(:totals as numeric[])) as i (bexio_id, status, open, total)"
    " where d.tenant_id = cast(current_setting('connector.tenant') as uuid) and d.bexio_id = i.bexio_id"
    " and (d.bexio_status, d.bexio_open, d.bexio_total) is distinct from (i.status, i.open, i.total)"
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


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """What a turn of work begins with.

    `contact` is the linked bexio contact of the customer, if there is one; `connection` is for
    `RemoteAccess.bexio_over`.
    """

    document: StoredDocument
    config: TenantConfig
    contact: int | None
    articles: Mapping[str, ArticleLink]
    connection: Record


@dataclass(frozen=True, slots=True)
class Projection:
    """What a document shall show; the status only while the `goal` is the one that the work had.

    `current`: bexio told the facts in this very turn. Older ones never replace what was followed since.
    """

    document: UUID
    goal: str
    status: str
    contact: int | None
    facts: BexioFacts | None
    current: bool

    def values(self, now: datetime) -> dict[str, Any]:
        """As statement parameters."""
        facts = self.facts
        return {
            "document": self.document,
            "goal": self.goal,
            "status": self.status,
            "contact": self.contact,
            "bexio_id": facts.id if facts else None,
            "bexio_number": facts.number if facts else None,
            "bexio_total": facts.total if facts else None,
            "bexio_status": facts.status if facts else None,
            "bexio_open": facts.open if facts else None,
            "current": self.current,
            "now": now,
        }


def content_of(sale: Sale) -> tuple[bytes, bytes]:
    """A sale as stored, in JSON, and the fingerprint by which a repeated sale is recognised."""
    content = orjson.dumps(sale.model_dump(mode="json", exclude_none=True), option=orjson.OPT_SORT_KEYS)
    # "13.6" is the amount that "13.60" is.
    alike = orjson.dumps(sale.model_dump(exclude_none=True), default=_figure, option=orjson.OPT_SORT_KEYS)
    return content, hashlib.sha256(alike).digest()


def _figure(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return plain(value)


async def known(session: AsyncConnection, tenant: UUID, sale: Sale, source: str) -> Row[Any] | None:
    """A sale that was recorded before, with its `outcome`: `same` or `other`; None for a new one."""
    values = {"tenant": tenant, "source": source, "transaction_id": sale.transaction_id, "hash": content_of(sale)[1]}
    return (await session.execute(_KNOWN, values)).first()


async def show(db: Database, tenant: UUID, document: UUID, source: str) -> Record:
    """One document with what waits, in one round trip.

    Raises:
        NotFound: this tenant has no such document.
    """
    row = await db.execute_alone(_SHOW, {"tenant": tenant, "id": document, "source": source})
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


def _stored(row: Row[Any] | Record) -> StoredDocument:
    return StoredDocument(
        id=row.id,
        tenant=row.tenant_id,
        source=row.source,
        sale=Sale.model_validate(row.content),
        status=row.status,
        goal=row.goal,
        bexio_id=row.bexio_id,
    )


async def open_document(db: Database, tenant: UUID, document: UUID) -> OpenedDocument:
    """A document for the pipeline, with all that a turn needs of our own; one round trip.

    Raises:
        NotFound: this tenant has no such document.
    """
    row = await db.execute_alone(_OPEN, {"tenant": tenant, "id": document})
    if row is None:
        raise NotFound("document-not-found")
    articles = {arcavis_id: ArticleLink(bexio_id, account) for arcavis_id, bexio_id, account in row.articles or ()}
    return OpenedDocument(_stored(row), from_row(row), row.contact_id, articles, row)


async def lock(session: AsyncConnection, document: UUID, source: str) -> StoredDocument:
    """The same, locked until the transaction ends.

    Raises:
        NotFound: this tenant has no such document.
    """
    row = (await session.execute(_LOCK, {"id": document, "source": source})).first()
    if row is None:
        raise NotFound("document-not-found")
    return _stored(row)


async def project(session: AsyncConnection, projection: Projection, now: datetime) -> None:
    """Writes what the pipeline found out onto the document."""
    await session.execute(_PROJECT, projection.values(now))


async def require_contact_question(session: AsyncConnection, tenant: UUID, document: UUID) -> None:
    """Only while it is asked for does a contact belong into a retry.

    Raises:
        Conflict: nobody asks who the customer of this document is.
    """
    values = {"tenant": tenant, "document": document, "codes": CONTACT_QUESTIONS}
    if (await session.execute(_ASKED, values)).first() is None:
        raise Conflict("contact-not-asked-for")


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
