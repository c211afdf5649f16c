"""OAuth connections, sign-ins, provisioning, mails."""

from __future__ import annotations

from alembic import op

from app.db.fence import OWN_OR_SYSTEM, fence

revision = "0005"
down_revision = "0004"

# Of an OAuth connection `secret` is the access token. `generation` rises with every pair of tokens that is stored;
# whoever renews it holds `renewal_lease`, and nobody tries before `renewal_after`.
CONNECTION = """
alter table bexio_connection
    add column subject text,
    add column books_id text,
    add column scopes text[] not null default '{}',
    add column refresh_secret bytea,
    add column previous_secret bytea,
    add column generation bigint not null default 0,
    add column renew_from timestamptz,
    add column access_until timestamptz,
    add column keep_by timestamptz,
    add column renewed_at timestamptz,
    add column renewal_fence bigint not null default 0,
    add column renewal_lease timestamptz,
    add column renewal_after timestamptz,
    add column renewal_failures integer not null default 0,
    add column renewal_reason text;
create unique index bexio_connection_books_idx on bexio_connection (books_id);
create index bexio_connection_subject_idx on bexio_connection (subject);
create table sign_in (
    id uuid primary key,
    tenant_id uuid references tenant,
    purpose text not null,
    actor text not null,
    scopes text[] not null,
    detail jsonb not null,
    ticket_hash bytea not null,
    state_hash bytea,
    browser_hash bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create unique index sign_in_state_idx on sign_in (state_hash);
create index sign_in_ticket_idx on sign_in (ticket_hash);
create index sign_in_age_idx on sign_in (expires_at);
create index sign_in_tenant_idx on sign_in (tenant_id)
"""

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
create index mail_age_idx on mail (tenant_id, created_at);
create table provision (
    tenant_id uuid primary key references tenant,
    activation_id text not null unique,
    company_id text not null,
    admin bytea not null,
    language text not null,
    done jsonb not null,
    runs jsonb not null,
    progress integer not null,
    login_url text,
    admin_username text,
    initial_password bytea,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index provision_company_idx on provision (company_id);
create table activation (
    id uuid primary key,
    tenant_id uuid references tenant,
    activation_id text not null unique,
    webhook_id text unique,
    codes bytea[] not null,
    state text not null,
    reason text,
    params jsonb not null,
    company_name text not null,
    wanted bytea,
    held_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index activation_tenant_idx on activation (tenant_id);
create index activation_open_idx on activation (held_until) where state = 'authorized'
"""


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""
    _connections()
    _mail_and_provisioning()


def _connections() -> None:
    for statement in CONNECTION.split(";\n"):
        op.execute(statement)
    # A sign-in that provisions has no tenant yet, and the browser that comes back names none.
    fence("sign_in", OWN_OR_SYSTEM)
    op.execute("grant select, insert, update, delete on table sign_in to connector_app")


def _mail_and_provisioning() -> None:
    for statement in MAIL.split(";\n"):
        op.execute(statement)
    fence("mail")
    # An activation finds its tenant: until then it has none, and its company's other ones are looked for.
    for table in ("provision", "activation"):
        fence(table, OWN_OR_SYSTEM)
    op.execute("grant select, insert, update, delete on mail, provision, activation to connector_app")


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
