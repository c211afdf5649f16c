"""Tenants, connections, documents, operations and the job engine's tables."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import op

from app.db.fence import CURRENT_TENANT, IS_SYSTEM, OWN, OWN_OR_SYSTEM, fence

revision = "0001"
down_revision = None

# Fenced strictly: without a tenant in the transaction there are no rows.
TENANT_TABLES = (
    "tenant_settings",
    "arcavis_connection",
    "document",
    "payment",
    "contact_link",
    "article_link",
    "attention",
    "audit",
    "run",
    "cursor",
    "reference_data",
)
# Also readable in a system transaction: key look-up, operators, the work loop.
SHARED_TABLES = ("api_key", "bexio_connection", "operation", "idempotency")

TABLES = """
create table tenant (
    id uuid primary key,
    slug text not null unique,
    name text not null,
    language text not null,
    modules text[] not null,
    config_version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create table api_key (
    id uuid primary key,
    tenant_id uuid references tenant,
    role text not null,
    label text not null,
    prefix text not null,
    hash bytea not null unique,
    created_at timestamptz not null,
    revoked_at timestamptz,
    check ((role = 'operator') = (tenant_id is null))
);
create index api_key_tenant_idx on api_key (tenant_id);
create table tenant_settings (
    tenant_id uuid primary key references tenant,
    values jsonb not null,
    version integer not null,
    updated_at timestamptz not null
);
create table bexio_connection (
    tenant_id uuid primary key references tenant,
    kind text not null,
    state text not null,
    reason text,
    company_id text not null unique,
    company_name text not null,
    user_id bigint not null,
    user_name text not null,
    secret bytea not null,
    expires_at timestamptz,
    connected_at timestamptz not null,
    updated_at timestamptz not null
);
create table arcavis_connection (
    tenant_id uuid primary key references tenant,
    base_url text not null,
    username text not null,
    secret bytea not null,
    state text not null,
    reason text,
    connected_at timestamptz not null,
    updated_at timestamptz not null
);
create table document (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    source text not null,
    transaction_id text not null,
    number text not null,
    sale_date date not null,
    content jsonb not null,
    content_hash bytea not null,
    total numeric(14, 2) not null,
    status text not null,
    goal text not null,
    contact_bexio_id bigint,
    bexio_id bigint,
    bexio_number text,
    bexio_total numeric(14, 2),
    bexio_status text,
    bexio_open numeric(14, 2),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (tenant_id, source, transaction_id)
);
create index document_listing_idx on document (tenant_id, source, created_at desc, id desc);
create index document_unfinished_idx on document (tenant_id, source, created_at desc, id desc)
    where status in ('accepted', 'attention');
create unique index document_bexio_idx on document (tenant_id, bexio_id);
create table operation (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    kind text not null,
    subject_id uuid not null,
    state text not null,
    step text not null,
    memo jsonb not null,
    priority smallint not null,
    wanted integer not null default 1,
    fence bigint not null default 0,
    lease_until timestamptz,
    starts integer not null default 0,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (kind, subject_id)
);
create index operation_running_idx on operation (tenant_id, lease_until) where state = 'running';
create table payment (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    document_id uuid references document,
    natural_key text not null,
    transaction_id text not null,
    payment_type_id text not null,
    amount numeric(14, 2) not null,
    paid_on date not null,
    bexio_invoice_id bigint,
    state text not null,
    sent_at timestamptz,
    known_ids bigint[] not null default '{}',
    bexio_payment_id bigint,
    content_hash bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (tenant_id, natural_key)
);
create unique index payment_in_flight_idx on payment (tenant_id, bexio_invoice_id) where state = 'sending';
create unique index payment_bexio_idx on payment (tenant_id, bexio_invoice_id, bexio_payment_id);
create index payment_document_idx on payment (document_id);
create table contact_link (
    tenant_id uuid not null references tenant,
    kind text not null,
    arcavis_id text not null,
    bexio_id bigint,
    state text not null,
    holder uuid,
    held_until timestamptz,
    sent_at timestamptz,
    evidence jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, kind, arcavis_id)
);
create index contact_link_bexio_idx on contact_link (tenant_id, bexio_id);
create table article_link (
    tenant_id uuid not null references tenant,
    arcavis_id text not null,
    bexio_id bigint not null,
    account_id bigint,
    state text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, arcavis_id)
);
create table attention (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    code text not null,
    params jsonb not null,
    subject_kind text not null,
    subject_id uuid not null,
    state text not null,
    created_at timestamptz not null,
    closed_at timestamptz,
    closed_by text,
    closed_reason text
);
create unique index attention_open_idx on attention (tenant_id, subject_kind, subject_id, code) where state = 'open';
create index attention_listing_idx on attention (tenant_id, created_at desc, id desc);
create table audit (
    id bigint generated always as identity primary key,
    tenant_id uuid not null references tenant,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject_kind text not null,
    subject_id text not null,
    detail jsonb not null
);
create index audit_listing_idx on audit (tenant_id, id desc);
create table idempotency (
    tenant_id uuid,
    scope text not null,
    key text not null,
    fingerprint bytea not null,
    state text not null,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamptz not null,
    primary key (scope, key)
);
create index idempotency_age_idx on idempotency (created_at);
create table run (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    kind text not null,
    state text not null,
    counts jsonb not null,
    total integer,
    reason text,
    cancel_requested boolean not null default false,
    detail jsonb not null,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz not null
);
create index run_listing_idx on run (tenant_id, created_at desc, id desc);
create table cursor (
    tenant_id uuid not null references tenant,
    name text not null,
    value text not null,
    updated_at timestamptz not null,
    primary key (tenant_id, name)
);
create table reference_data (
    tenant_id uuid not null references tenant,
    name text not null,
    rows jsonb not null,
    fetched_at timestamptz not null,
    primary key (tenant_id, name)
);
-- Lost in a crash on purpose: a fresh burst is corrected by the next 429, and every commit here is cheap.
create unlogged table rate_budget (
    company_id text not null,
    bucket text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    told boolean not null,
    capacity integer,
    used integer not null,
    blocked_until timestamptz,
    primary key (company_id, bucket)
) with (fillfactor = 50);
create unlogged table circuit (
    name text primary key,
    failures integer not null,
    open_until timestamptz,
    probe_until timestamptz,
    updated_at timestamptz not null
)
"""

# A document as callers see it: with the work on it, and with the first of what waits for a person.
SHOWN = """
create view shown_document with (security_invoker = true) as
select d.id, d.tenant_id, d.source, d.transaction_id, d.number, d.sale_date, d.total, d.status, d.bexio_id,
    d.bexio_number, d.bexio_total, d.bexio_status, d.bexio_open, d.created_at, d.updated_at,
    case
        when d.status in ('accepted', 'attention') and o.state <> 'parked' and a.id is null
            then case when o.step = 'new' then 'accepted' else 'sending' end
        else d.status
    end as shown_status,
    o.state as work_state, o.reason as work_reason, o.next_attempt_at,
    a.id as attention_id, a.code as attention_code, a.params as attention_params, a.created_at as attention_at
from document d
join operation o on o.kind = 'document' and o.subject_id = d.id
left join lateral (
    select * from attention i
    where i.tenant_id = d.tenant_id and i.subject_kind = 'document' and i.subject_id = d.id and i.state = 'open'
    order by i.created_at limit 1
) a on true
"""

# One document in one round trip.
SHOW = """
create function show_document(p_tenant uuid, p_id uuid, p_source text) returns setof shown_document
language plpgsql security invoker as $$
begin
    perform set_config('connector.tenant', p_tenant::text, true);
    return query select * from shown_document d where d.id = p_id and d.source = p_source;
end $$
"""

# `shown` is null unless the sale was known: then its content is the 'same' or 'other'.
ACCEPT = """
create function accept_document(
    p_tenant uuid, p_key_hash bytea, p_config_version bigint, p_id uuid, p_operation uuid, p_source text,
    p_transaction_id text, p_number text, p_date date, p_content jsonb, p_hash bytea, p_total numeric,
    p_priority integer, p_now timestamptz
) returns table (outcome text, shown shown_document)
language plpgsql security invoker as $$
begin
    perform set_config('connector.tenant', p_tenant::text, true);
    perform 1 from api_key k join tenant t on t.id = k.tenant_id
        where k.hash = p_key_hash and k.revoked_at is null and t.id = p_tenant and t.config_version = p_config_version;
    if not found then
        return query select 'stale', null::shown_document;
        return;
    end if;
    insert into document (id, tenant_id, source, transaction_id, number, sale_date, content, content_hash, total,
                          status, goal, created_at, updated_at)
        values (p_id, p_tenant, p_source, p_transaction_id, p_number, p_date, p_content, p_hash, p_total,
                'accepted', 'issued', p_now, p_now)
        on conflict (tenant_id, source, transaction_id) do nothing;
    if found then
        insert into operation (id, tenant_id, kind, subject_id, state, step, memo, priority, next_attempt_at,
                               created_at, updated_at)
            values (p_operation, p_tenant, 'document', p_id, 'waiting', 'new', '{}', p_priority, p_now, p_now, p_now);
        insert into pgqueuer (priority, entrypoint, status) values (p_priority, 'work', 'queued');
        return query select 'accepted', null::shown_document;
        return;
    end if;
    return query
        select case when d.content_hash = p_hash then 'same' else 'other' end, s
        from document d join shown_document s on s.id = d.id
        where d.tenant_id = p_tenant and d.source = p_source and d.transaction_id = p_transaction_id;
end $$
"""

# The compare-and-set before every remote write: no row means that another worker holds the operation, an unchanged
# row that somebody asked for it again meanwhile.
ADVANCE = """
create function advance_operation(
    p_id uuid, p_fence bigint, p_wanted integer, p_step text, p_memo jsonb, p_now timestamptz, p_lease interval
) returns setof operation
language plpgsql security invoker as $$
begin
    perform set_config('connector.scope', 'system', true);
    return query
        update operation o set step = p_step, memo = p_memo, lease_until = p_now + p_lease, updated_at = p_now
        where o.id = p_id and o.fence = p_fence and o.state = 'running' and o.wanted = p_wanted
        returning o.*;
    if not found then
        return query select o.* from operation o where o.id = p_id and o.fence = p_fence and o.state = 'running';
    end if;
end $$
"""

# A key's look-up knows no tenant yet: it finds the tenant. One round trip, and revocation counts from its commit.
FIND_KEY = """
create function find_key(p_hash bytea) returns table (
    key_id uuid, prefix text, role text, tenant_id uuid, slug text, language text, modules text[], config_version bigint
) language plpgsql security invoker as $$
begin
    perform set_config('connector.scope', 'system', true);
    return query
        select k.id, k.prefix, k.role, k.tenant_id, t.slug, t.language, t.modules, t.config_version
        from api_key k left join tenant t on t.id = k.tenant_id
        where k.hash = p_hash and k.revoked_at is null;
end $$
"""

# For /metrics: how late the work is and how much waits for a person, over all tenants.
BACKLOG = """
create function backlog(p_now timestamptz) returns table (overdue_seconds double precision, attention_open bigint)
language plpgsql security invoker as $$
begin
    perform set_config('connector.scope', 'system', true);
    return query select
        coalesce((select extract(epoch from p_now - min(o.next_attempt_at))::double precision from operation o
                  where o.state = 'waiting' and o.next_attempt_at < p_now), 0),
        (select count(*) from (select 1 from attention a where a.state = 'open' limit 10000) counted);
end $$
"""


def upgrade() -> None:
    op.execute(
        """do $$ begin
            if not exists (select 1 from pg_roles where rolname = 'connector_app') then
                create role connector_app nologin nosuperuser nobypassrls;
            end if;
            -- Where a database administrator made the role and granted it, there is nothing left to grant.
            begin
                execute format('grant connector_app to %I', current_user);
            exception when insufficient_privilege then null;
            end;
        end $$"""
    )
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    # As `pgq sql install` of 1.6.0 printed it; a later engine brings a revision of its own.
    engine_sql = (Path(__file__).parents[1] / "sql" / "pgqueuer_1_6_0.sql").read_text()
    for statement in re.split(r";\n\n(?=CREATE)", engine_sql):
        op.execute(statement)
    fence("tenant", f"id = {CURRENT_TENANT} or {IS_SYSTEM}")
    for table in TENANT_TABLES:
        fence(table, OWN)
    for table in SHARED_TABLES:
        fence(table, OWN_OR_SYSTEM)
    op.execute(f"create policy system_count on attention for select using ({IS_SYSTEM})")
    op.execute(SHOWN)
    for function in (SHOW, ACCEPT, ADVANCE, FIND_KEY, BACKLOG):
        op.execute(function)
    remote_calls = (Path(__file__).parents[1] / "sql" / "remote_calls.sql").read_text()
    for function in re.split(r";\n\n(?=--|create)", remote_calls):
        op.execute(function)
    op.execute("grant usage on schema public to connector_app")
    op.execute("grant select, insert, update, delete on all tables in schema public to connector_app")
    op.execute("grant usage, select on all sequences in schema public to connector_app")
    op.execute("revoke update, delete on audit from connector_app")
    op.execute("revoke insert, update, delete on alembic_version from connector_app")


def downgrade() -> None:
    raise RuntimeError("The first revision has nothing below it: drop the database instead.")
