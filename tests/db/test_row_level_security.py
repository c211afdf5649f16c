from __future__ import annotations

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from app.db.session import Database

_TENANT_TABLES = text(
    "select c.relname, c.relrowsecurity and c.relforcerowsecurity as fenced from pg_class c"
    " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and (c.relname = 'tenant' or exists"
    " (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))"
)


async def test_every_tenant_table_forces_row_level_security(migrated: URL) -> None:
    db = Database(migrated.render_as_string(hide_password=False))
    async with db.begin_system() as session:
        tables = {row.relname: row.fenced for row in await session.execute(_TENANT_TABLES)}
    await db.close()
    assert {"tenant", "document", "operation", "payment", "contact_link", "attention", "audit", "api_key"} <= set(
        tables
    )
    assert [name for name, fenced in tables.items() if not fenced] == []


async def test_the_runtime_role_can_neither_bypass_the_fence_nor_rewrite_the_audit(migrated: URL) -> None:
    db = Database(migrated.render_as_string(hide_password=False))
    async with db.begin_system() as session:
        role = (
            await session.execute(
                text("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
            )
        ).one()
    for statement in ("update audit set action = 'x'", "delete from audit"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with db.begin_system() as session:
                await session.execute(text(statement))
    await db.close()
    assert tuple(role) == ("connector_app", False, False)
