"""OAuth connections, sign-ins, provisioning, mails."""

from __future__ import annotations

from alembic import op

from app.db.fence import fence

revision = "0005"
down_revision = "0004"

MAIL = """
create table mail (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    event text not null,
    template text not null,
    recipient text not null,
    language text not null,
    params jsonb not null,
    secret bytea,
    state text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    sent_at timestamptz,
    unique (tenant_id, event, recipient)
);
create index mail_age_idx on mail (tenant_id, created_at)
"""


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""
    _mail_and_provisioning()


def _mail_and_provisioning() -> None:
    for statement in MAIL.split(";\n"):
        op.execute(statement)
    fence("mail")
    op.execute("grant select, insert, update, delete on mail to connector_app")


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
