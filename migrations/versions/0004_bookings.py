"""Booking rules, exports and posted entries."""

from __future__ import annotations

from alembic import op

from app.db.fence import fence

revision = "0004"
down_revision = "0003"

TABLES = (
    """create table booking_rule (
        id uuid primary key,
        tenant_id uuid not null references tenant,
        version integer not null,
        position integer not null,
        -- Which default it was made as; a default that a person changed or deleted is not made again.
        origin text,
        reason jsonb,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        deleted_at timestamptz
    )""",
    "create index booking_rule_listing_idx on booking_rule (tenant_id, position, id) where deleted_at is null",
    "create unique index booking_rule_origin_idx on booking_rule (tenant_id, origin)",
    """create table booking_rule_version (
        tenant_id uuid not null references tenant,
        rule_id uuid not null references booking_rule,
        version integer not null,
        content jsonb not null,
        created_at timestamptz not null,
        created_by text not null,
        primary key (rule_id, version)
    )""",
    "create index booking_rule_version_tenant_idx on booking_rule_version (tenant_id, rule_id)",
    # What an article belonged to, from a day on; the groups of an exported day never change.
    """create table booking_article_groups (
        tenant_id uuid not null references tenant,
        article_id text not null,
        since date not null,
        main_group text,
        trade_group text,
        article_group text,
        primary key (tenant_id, article_id, since)
    )""",
    """create table booking_export (
        id uuid primary key,
        tenant_id uuid not null references tenant,
        run_id uuid references run,
        kind text not null,
        first_day date not null,
        last_day date not null,
        state text not null,
        plan_hash text,
        reverses uuid references booking_export,
        asked_by text not null,
        detail jsonb not null default '{}',
        created_at timestamptz not null,
        updated_at timestamptz not null,
        finished_at timestamptz
    )""",
    "create index booking_export_listing_idx on booking_export (tenant_id, created_at desc, id desc)",
    "create index booking_export_run_idx on booking_export (run_id)",
    """create table booking_export_day (
        tenant_id uuid not null references tenant,
        export_id uuid not null references booking_export,
        sale_day date not null,
        state text not null,
        booked_on date not null,
        proof jsonb not null,
        findings jsonb not null,
        entries integer not null,
        digest bytea not null,
        updated_at timestamptz not null,
        primary key (export_id, sale_day)
    )""",
    "create index booking_export_day_idx on booking_export_day (tenant_id, sale_day)",
    # One manual group entry of bexio: intended, sent, posted. `request` is what is sent, to the byte.
    """create table booking_group (
        id uuid primary key,
        tenant_id uuid not null references tenant,
        export_id uuid not null references booking_export,
        sale_day date not null,
        sequence integer not null,
        reference text not null,
        booked_on date not null,
        request bytea not null,
        state text not null,
        sent_at timestamptz,
        known_id bigint,
        bexio_id bigint,
        posted_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (tenant_id, sale_day, sequence)
    )""",
    "create index booking_group_export_idx on booking_group (export_id, sale_day, sequence)",
    "create unique index booking_group_reference_idx on booking_group (tenant_id, reference)",
    "create unique index booking_group_bexio_idx on booking_group (tenant_id, bexio_id)",
    # What a line of a group is told to; `amount` is positive from the position's debit to its credit account.
    """create table booking_line (
        id uuid primary key,
        tenant_id uuid not null references tenant,
        group_id uuid not null references booking_group on delete cascade,
        place integer not null,
        sale_day date not null,
        rule_id uuid not null,
        rule_version integer not null,
        title text not null,
        group_key text not null,
        debit_account bigint not null,
        credit_account bigint not null,
        tax_id bigint,
        tax_account bigint,
        tax_code text,
        amount numeric(14, 2) not null,
        desired numeric(14, 2) not null,
        posted numeric(14, 2) not null,
        till_tax numeric(14, 2) not null,
        receipts integer not null,
        text text not null,
        unique (group_id, place)
    )""",
    "create index booking_line_day_idx on booking_line (tenant_id, sale_day)",
    # What each receipt has of a line: they add up to its amount.
    """create table booking_line_receipt (
        tenant_id uuid not null references tenant,
        line_id uuid not null references booking_line on delete cascade,
        receipt_id text not null,
        number text not null,
        amount numeric(14, 2) not null,
        primary key (line_id, receipt_id)
    )""",
    "create index booking_line_receipt_idx on booking_line_receipt (tenant_id, receipt_id)",
)
FENCED = (
    "booking_rule",
    "booking_rule_version",
    "booking_article_groups",
    "booking_export",
    "booking_export_day",
    "booking_group",
    "booking_line",
    "booking_line_receipt",
)


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""
    for statement in TABLES:
        op.execute(statement)
    for table in FENCED:
        fence(table)
        op.execute(f"grant select, insert, update, delete on table {table} to connector_app")


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
