"""Starting an import, and listing what is linked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from app.api.auth import TenantCaller
from app.capabilities.articles import place
from app.capabilities.articles.importing import KIND
from app.capabilities.articles.schemas import ArticleImport, ArticleLink, ArticleStock
from app.core.clock import Clock
from app.core.errors import Conflict
from app.core.money import plain
from app.core.priority import Priority
from app.db import audit
from app.db.session import Database
from app.jobs import runs

_LIST = text(
    "select id, arcavis_id, bexio_id, number, state, reason, account_id, stock_state, stock, stock_store_id, stock_at,"
    " created_at, updated_at from article_link"
    " where (cast(:after_at as timestamptz) is null or (updated_at, id) < (:after_at, cast(:after_id as uuid)))"
    " order by updated_at desc, id desc limit :fetch"
)


async def start(db: Database, clock: Clock, caller: TenantCaller, wanted: ArticleImport) -> UUID:
    """Starts an import; returns the run's id.

    Raises:
        Conflict: `articles-import-running`, the tenant has one under way.
    """
    now = clock.now()
    async with db.begin(caller.tenant) as session:
        await place.lock(session, caller.tenant)
        if await place.under_way(session, caller.tenant, KIND) is not None:
            raise Conflict("articles-import-running")
        run = await runs.create(
            session,
            tenant=caller.tenant,
            kind=KIND,
            priority=Priority.BULK,
            now=now,
            detail={"dry_run": wanted.dry_run},
        )
        await audit.append(
            session,
            tenant=caller.tenant,
            now=now,
            actor=caller.actor,
            action=KIND,
            subject_kind="run",
            subject_id=run,
            detail={"dry_run": str(wanted.dry_run).lower()},
        )
    return run


async def links(db: Database, tenant: UUID, page: Mapping[str, Any]) -> list[ArticleLink]:
    """Links, the latest changed first; `page` as `Paging.values` gives it."""
    async with db.begin(tenant) as session:
        return [_link(row) for row in (await session.execute(_LIST, dict(page))).mappings()]


def _link(row: RowMapping) -> ArticleLink:
    stock = (
        ArticleStock(
            state=row["stock_state"],
            quantity=None if row["stock"] is None else plain(row["stock"]),
            store_id=None if row["stock_store_id"] is None else str(row["stock_store_id"]),
            at=row["stock_at"],
        )
        if row["stock_state"] is not None
        else None
    )
    return ArticleLink(
        id=row["id"],
        arcavis_id=row["arcavis_id"],
        bexio_id=row["bexio_id"],
        number=row["number"],
        state=row["state"],
        reason=row["reason"],
        bexio_account_id=row["account_id"],
        stock=stock,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
