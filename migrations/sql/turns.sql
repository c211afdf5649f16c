-- What a turn of work on a document begins with, in one round trip: the document, its tenant's settings, and what
-- is known of the customer and the articles.
create function open_document(p_tenant uuid, p_document uuid) returns table (
    id uuid, tenant_id uuid, source text, content jsonb, status text, goal text, bexio_id bigint,
    slug text, name text, language text, modules text[], config_version bigint, settings jsonb, settings_version bigint,
    contact_id bigint, articles jsonb
) language plpgsql security invoker as $$
begin
    perform set_config('connector.tenant', p_tenant::text, true);
    return query
        select d.id, d.tenant_id, d.source, d.content, d.status, d.goal, d.bexio_id,
            t.slug, t.name, t.language, t.modules, t.config_version::bigint, s.values, coalesce(s.version, 0)::bigint,
            (select l.bexio_id from contact_link l where l.tenant_id = p_tenant and l.kind = 'customer'
                and l.arcavis_id = d.content->'customer'->>'arcavis_id' and l.state = 'active'),
            (select jsonb_agg(jsonb_build_array(a.arcavis_id, a.bexio_id, a.account_id)) from article_link a
                where a.tenant_id = p_tenant and a.state = 'active' and a.arcavis_id in (
                    select line->>'article_id' from jsonb_array_elements(d.content->'lines') line))
        from document d
        join tenant t on t.id = d.tenant_id
        left join tenant_settings s on s.tenant_id = d.tenant_id
        where d.tenant_id = p_tenant and d.id = p_document;
end $$;

-- Ends a turn: null when another worker holds the operation, else the state it is in. Asked for again meanwhile, it
-- waits once more. Work that is done leaves nothing for a person to do. Whoever waits for the subject is woken.
create function settle_operation(
    p_id uuid, p_fence bigint, p_seen integer, p_state text, p_due timestamptz, p_attempts integer,
    p_reason text, p_step text, p_memo jsonb, p_now timestamptz
) returns text
language plpgsql security invoker as $$
declare
    settled operation;
begin
    update operation o set
        state = case when o.wanted > p_seen then 'waiting' else p_state end,
        next_attempt_at = case when o.wanted > p_seen then p_now else p_due end,
        reason = p_reason, attempts = p_attempts, starts = 0, lease_until = null, step = p_step, memo = p_memo,
        updated_at = p_now
        where o.id = p_id and o.fence = p_fence and o.state = 'running' returning * into settled;
    if not found then
        return null;
    end if;
    if p_state = 'done' then
        update attention a set state = 'resolved', closed_at = p_now, closed_by = 'system'
            where a.tenant_id = settled.tenant_id and a.subject_kind = settled.kind and a.subject_id = settled.subject_id
                and a.state = 'open';
    end if;
    perform pg_notify('connector_settled', settled.subject_id::text);
    return settled.state;
end $$;

-- What the pipeline found out, written onto the document; the status only while the goal is the one it had. What an
-- earlier turn learned of the invoice does not replace what was followed in bexio since: only p_current does.
create function project_document(
    p_document uuid, p_goal text, p_status text, p_contact bigint, p_bexio_id bigint, p_bexio_number text,
    p_bexio_total numeric, p_bexio_status text, p_bexio_open numeric, p_current boolean, p_now timestamptz
) returns void
language sql security invoker as $$
    update document d set
        status = case when d.goal = p_goal then p_status else d.status end,
        contact_bexio_id = coalesce(p_contact, d.contact_bexio_id),
        bexio_id = p_bexio_id, bexio_number = p_bexio_number,
        bexio_total = case when p_current or d.bexio_id is distinct from p_bexio_id
            then p_bexio_total else d.bexio_total end,
        bexio_status = case when p_current or d.bexio_id is distinct from p_bexio_id
            then p_bexio_status else d.bexio_status end,
        bexio_open = case when p_current or d.bexio_id is distinct from p_bexio_id
            then p_bexio_open else d.bexio_open end,
        updated_at = p_now
        where d.id = p_document
$$;

-- Both in one round trip, for one tenant.
create function settle_document(
    p_tenant uuid, p_id uuid, p_fence bigint, p_seen integer, p_state text, p_due timestamptz, p_attempts integer,
    p_reason text, p_step text, p_memo jsonb, p_now timestamptz,
    p_document uuid, p_goal text, p_status text, p_contact bigint, p_bexio_id bigint, p_bexio_number text,
    p_bexio_total numeric, p_bexio_status text, p_bexio_open numeric, p_current boolean
) returns text
language plpgsql security invoker as $$
declare
    settled text;
begin
    perform set_config('connector.tenant', p_tenant::text, true);
    settled := settle_operation(
        p_id, p_fence, p_seen, p_state, p_due, p_attempts, p_reason, p_step, p_memo, p_now);
    if settled is not null then
        perform project_document(
            p_document, p_goal, p_status, p_contact, p_bexio_id, p_bexio_number, p_bexio_total, p_bexio_status,
            p_bexio_open, p_current, p_now);
    end if;
    return settled;
end $$;
