"""Contact links with their merge base, conflicts, article links."""

from __future__ import annotations

from alembic import op

from app.db.fence import fence

revision = "0003"
down_revision = "0002"

# The version before writes links without the new columns: each has a default, and one that it makes twice is an alias.
_LINKS = """
alter table contact_link
    add column id uuid not null default gen_random_uuid(),
    add column alias boolean not null default false,
    add column base_arcavis jsonb not null default '{}',
    add column base_bexio jsonb not null default '{}',
    add column reason text,
    add column synced_at timestamptz;
update contact_link l set alias = true where state = 'active' and exists (
    select from contact_link o where o.tenant_id = l.tenant_id and o.kind = l.kind and o.bexio_id = l.bexio_id
    and o.state = 'active' and (o.created_at, o.arcavis_id) < (l.created_at, l.arcavis_id));
create unique index contact_link_pair_idx on contact_link (tenant_id, kind, bexio_id)
    where state in ('active', 'conflict') and not alias;
create index contact_link_listing_idx on contact_link (tenant_id, updated_at desc, id desc);
create index contact_link_open_idx on contact_link (tenant_id, holder) where state = 'resolving';
"""

_CONTACTS = """
create table contact_record (
    tenant_id uuid not null references tenant,
    side text not null,
    kind text not null,
    remote_id bigint not null,
    fields jsonb not null,
    extra jsonb not null,
    gone boolean not null,
    pending boolean not null,
    visited uuid,
    primary key (tenant_id, side, kind, remote_id)
);
create index contact_record_pending_idx on contact_record (tenant_id, side, kind, remote_id) where pending;
create table contact_key (
    tenant_id uuid not null references tenant,
    side text not null,
    kind text not null,
    key text not null,
    remote_id bigint not null,
    primary key (tenant_id, side, kind, key, remote_id)
);
create index contact_key_record_idx on contact_key (tenant_id, side, kind, remote_id);
create table contact_conflict (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    kind text not null,
    contact_kind text not null,
    arcavis_id text,
    bexio_id bigint,
    detail jsonb not null,
    state text not null,
    resolution text,
    resolved_by text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz
);
create unique index contact_conflict_arcavis_idx on contact_conflict (tenant_id, contact_kind, arcavis_id)
    where state <> 'closed' and arcavis_id is not null;
create unique index contact_conflict_bexio_idx on contact_conflict (tenant_id, contact_kind, bexio_id)
    where state <> 'closed' and arcavis_id is null;
create index contact_conflict_listing_idx on contact_conflict (tenant_id, created_at desc, id desc);
create table contact_run (
    run_id uuid primary key,
    tenant_id uuid not null references tenant,
    place jsonb not null,
    finished boolean not null,
    created_at timestamptz not null
);
create unique index contact_run_active_idx on contact_run (tenant_id) where not finished;
create table contact_push (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    kind text not null,
    arcavis_id text not null,
    state text not null,
    bexio_id bigint,
    code text,
    params jsonb not null default '{}',
    updated_at timestamptz not null,
    unique (tenant_id, kind, arcavis_id)
);
create table contact_group (
    tenant_id uuid not null references tenant,
    name text not null,
    holder uuid,
    held_until timestamptz,
    sent_at timestamptz,
    primary key (tenant_id, name)
);
grant select, insert, update, delete on contact_record, contact_key, contact_conflict, contact_run, contact_group,
    contact_push to connector_app;
"""


# Two Arcavis contacts may be one bexio contact: invoices of both go there, and the sync keeps to the first.
_TAKEN = """
create function contact_taken(of_tenant uuid, of_kind text, by text, contact bigint) returns boolean
language sql stable as $$
    select exists (select from contact_link l where l.tenant_id = of_tenant and l.kind = of_kind
        and l.arcavis_id <> by and l.bexio_id = contact and l.state in ('active', 'conflict') and not l.alias)
$$
"""
# The runtime role owns no table, and only an owner may analyse one.
_ANALYZE = """
create function analyze_contacts() returns void language plpgsql security definer set search_path = public as $$
begin
    analyze contact_record, contact_key, contact_link;
end $$
"""

# The version before makes no article links.
_ARTICLES = """
alter table article_link
    add column id uuid not null default gen_random_uuid(),
    add column number text,
    add column number_key text,
    add column fingerprint bytea,
    add column reason text,
    add column run_id uuid,
    add column outcome text,
    add column stock_state text,
    add column stock numeric,
    add column stock_store_id bigint,
    add column stock_at timestamptz,
    add column stock_run_id uuid;
create unique index article_link_bexio_idx on article_link (tenant_id, bexio_id);
create index article_link_number_idx on article_link (tenant_id, number_key);
create index article_link_listing_idx on article_link (tenant_id, updated_at desc, id desc);
create index article_link_stock_idx on article_link (tenant_id, arcavis_id) where stock_state = 'intended';
create table arcavis_article (
    tenant_id uuid not null references tenant,
    arcavis_id text not null,
    number_key text not null,
    primary key (tenant_id, arcavis_id)
);
create index arcavis_article_number_idx on arcavis_article (tenant_id, number_key);
create table article_problem (
    tenant_id uuid not null references tenant,
    bexio_id bigint not null,
    run_id uuid not null,
    code text not null,
    params jsonb not null,
    number text,
    name text,
    primary key (tenant_id, bexio_id)
);
create table article_run (
    run_id uuid primary key,
    tenant_id uuid not null references tenant,
    place jsonb not null,
    finished boolean not null,
    created_at timestamptz not null
);
create unique index article_run_active_idx on article_run (tenant_id) where not finished;
grant select, insert, update, delete on arcavis_article, article_problem, article_run to connector_app;
"""


def upgrade() -> None:
    """Expands what is there: the version before keeps running on it."""
    for statement in f"{_LINKS}{_CONTACTS}{_ARTICLES}".split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(_TAKEN)
    op.execute(_ANALYZE)
    contacts = ("contact_record", "contact_key", "contact_conflict", "contact_run", "contact_group", "contact_push")
    for table in (*contacts, "arcavis_article", "article_problem", "article_run"):
        fence(table)


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
