"""Row-level security for a table, as the migrations put it there."""

from __future__ import annotations

from alembic import op

CURRENT_TENANT = "nullif(current_setting('connector.tenant', true), '')::uuid"
IS_SYSTEM = "current_setting('connector.scope', true) = 'system'"
# Without a tenant in the transaction there are no rows.
OWN = f"tenant_id = {CURRENT_TENANT}"
# Also readable in a system transaction: key look-up, operators, the work loop.
OWN_OR_SYSTEM = f"{OWN} or {IS_SYSTEM}"


def fence(table: str, condition: str = OWN) -> None:
    """Forces the policy on everybody, the table's owner included."""
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy tenant_fence on {table} using ({condition}) with check ({condition})")
