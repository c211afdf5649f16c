"""Reading the audit trail; it is written in the transactions of what it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.db.session import Database

_LIST = text(
    "select id, at, actor, action, subject_kind, subject_id, detail from audit"
    " where (cast(:after_id as bigint) is null or id < :after_id) order by id desc limit :fetch"
)


async def listing(db: Database, tenant: UUID, page: Mapping[str, Any]) -> list[Row[Any]]:
    """Lines, newest first; `page` as `Paging.values` gives it."""
    async with db.begin(tenant) as session:
        return list(await session.execute(_LIST, {"fetch": page["fetch"], "after_id": page["after_id"]}))
