"""Claiming stays quick however much is deferred, and a turn of work costs few round trips."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

# Within one tenant and priority whoever is due longest comes first; what is due at the same time, in the order it
# came. So what is not due yet lies behind what is, and is never read.
INDEX = """
create index operation_due_idx on operation (tenant_id, priority, next_attempt_at, created_at)
where state = 'waiting'
"""

# One tenant's backlog must not delay another's till: the best of each tenant's priorities compete, highest priority
# first, then the tenant with the least work in hand, then the oldest. An expired lease is due like waiting work.
# Nothing below `p_least` is taken, and the last `p_reserved` of a tenant's places are for its tills (`p_till`).
# The settings keep Postgres from reading everything: on a plan that it made while nothing waited, it would.
CLAIM = """
create function claim_operation(
    p_now timestamptz, p_lease interval, p_tenant_cap integer, p_reserved integer, p_till integer, p_least integer
) returns setof operation
language plpgsql security invoker
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
    candidate uuid;
    chosen operation;
begin
    perform set_config('connector.scope', 'system', true);
    for candidate in
        with recursive queues (tenant_id, priority) as (
            (select o.tenant_id, o.priority from operation o where o.state = 'waiting'
             order by o.tenant_id, o.priority limit 1)
            union all
            select next.tenant_id, next.priority from queues q cross join lateral (
                select o.tenant_id, o.priority from operation o
                where o.state = 'waiting' and (o.tenant_id, o.priority) > (q.tenant_id, q.priority)
                order by o.tenant_id, o.priority limit 1
            ) next
        ), busy as (
            select o.tenant_id, count(*) as held from operation o
            where o.state = 'running' and o.lease_until > p_now group by o.tenant_id
        ), due as (
            select w.id, w.priority, w.created_at, coalesce(b.held, 0) as held
            from queues q
            left join busy b on b.tenant_id = q.tenant_id
            cross join lateral (
                select o.id, o.priority, o.created_at from operation o
                where o.tenant_id = q.tenant_id and o.priority = q.priority and o.state = 'waiting'
                    and o.next_attempt_at <= p_now
                order by o.next_attempt_at, o.created_at limit 8
            ) w
            where q.priority >= p_least
                and coalesce(b.held, 0) < p_tenant_cap - case when q.priority < p_till then p_reserved else 0 end
            union all
            select o.id, o.priority, o.created_at, 0 from operation o
            where o.state = 'running' and o.lease_until <= p_now and o.priority >= p_least
        )
        select d.id from due d order by d.priority desc, d.held, d.created_at limit 64
    loop
        update operation o set state = 'running', fence = o.fence + 1, lease_until = p_now + p_lease,
                               starts = o.starts + 1, updated_at = p_now
            where o.id = (
                select l.id from operation l where l.id = candidate
                    and (l.state = 'waiting' and l.next_attempt_at <= p_now
                         or l.state = 'running' and l.lease_until <= p_now)
                for update skip locked)
            returning o.* into chosen;
        if found then
            return next chosen;
            return;
        end if;
    end loop;
end $$
"""


def upgrade() -> None:
    op.execute(INDEX)
    op.execute(CLAIM)
    turns = (Path(__file__).parents[1] / "sql" / "turns.sql").read_text()
    for statement in re.split(r";\n\n(?=--|create)", turns):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Migrations only go forward: restore a backup instead.")
