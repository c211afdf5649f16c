-- A connection's row in one round trip: it sets the tenant that row-level security asks for.
create function open_bexio_connection(p_tenant uuid) returns setof bexio_connection
language plpgsql security invoker as $$
begin
    perform set_config('connector.tenant', p_tenant::text, true);
    return query select * from bexio_connection c where c.tenant_id = p_tenant;
end $$;

create function open_arcavis_connection(p_tenant uuid) returns setof arcavis_connection
language plpgsql security invoker as $$
begin
    perform set_config('connector.tenant', p_tenant::text, true);
    return query select * from arcavis_connection c where c.tenant_id = p_tenant;
end $$;

-- Spends requests of a company's minute, or says how many seconds to wait. p_reserve is the part of a whole minute
-- that this caller leaves to more urgent work; it melts with the minute. p_limit to p_sent_at: what an answer told.
create function spend_request(
    p_company text, p_bucket text, p_now timestamptz, p_window interval, p_capacity integer, p_reserve float8,
    p_ahead float8, p_lease integer, p_returned integer, p_returned_from timestamptz,
    p_limit integer, p_remaining integer, p_reset_at timestamptz, p_sent_at timestamptz
) returns table (granted integer, wait float8, window_end timestamptz)
language plpgsql security invoker as $$
declare
    b rate_budget;
    seconds float8 := extract(epoch from p_window);
    capacity integer;
    kept float8;
    time_left float8;
begin
    -- What a crash of the database forgets is told again by the next answer: nobody waits for the disk.
    perform set_config('synchronous_commit', 'off', true);
    select * into b from rate_budget r where r.company_id = p_company and r.bucket = p_bucket for update;
    if not found then
        insert into rate_budget (company_id, bucket, window_start, window_end, told, capacity, used)
            values (p_company, p_bucket, p_now, p_now + p_window, false, null, 0)
            on conflict do nothing;
        select * into strict b from rate_budget r where r.company_id = p_company and r.bucket = p_bucket for update;
    end if;
    if p_now >= b.window_end then
        -- bexio's minutes follow each other without a gap.
        b.window_end := b.window_end
            + p_window * (1 + floor(extract(epoch from p_now - b.window_end) / seconds));
        b.window_start := b.window_end - p_window;
        b.used := 0;
        b.told := false;
    end if;
    if p_returned > 0 and abs(extract(epoch from p_returned_from - b.window_end)) < seconds / 2 then
        b.used := greatest(0, b.used - p_returned);
    end if;
    if p_limit is not null and p_reset_at > p_now then
        if b.told and p_reset_at > b.window_end + p_window / 2 then
            -- Its next minute began before ours ended.
            b.window_start := p_sent_at;
            b.window_end := p_reset_at;
            b.capacity := p_limit;
            b.used := p_limit - p_remaining;
        elsif p_sent_at >= b.window_start then
            -- Seconds are told rounded: the latest end is the safe one. Other apps spend the same budget, and
            -- answers overtake each other: the most that was spent is the truth.
            b.window_end := case when b.told then greatest(b.window_end, p_reset_at) else p_reset_at end;
            b.capacity := p_limit;
            b.used := greatest(b.used, p_limit - p_remaining);
            b.told := true;
        end if;
    end if;
    time_left := extract(epoch from b.window_end - p_now);
    capacity := coalesce(b.capacity, p_capacity);
    kept := p_reserve * capacity * least(time_left / seconds, 1);
    granted := 0;
    wait := 0;
    if b.blocked_until > p_now then
        wait := extract(epoch from b.blocked_until - p_now);
    elsif b.used + p_lease <= b.capacity / 2 then
        -- Far from empty: some more at once save round trips. Not before the true limit was told.
        granted := p_lease;
    elsif b.used + 1 <= capacity - kept then
        granted := 1;
    elsif b.used + 1 > capacity then
        wait := time_left;
    else
        -- The moment when the reserve has melted by enough. Nobody books it long before: until then other apps
        -- may have spent it.
        wait := greatest(0, time_left - seconds * (capacity - b.used - 1) / (p_reserve * capacity));
        if wait <= p_ahead then
            granted := 1;
        end if;
    end if;
    window_end := b.window_end;
    update rate_budget r
        set (window_start, window_end, told, capacity, used)
            = (b.window_start, b.window_end, b.told, b.capacity, b.used + granted)
        where r.company_id = p_company and r.bucket = p_bucket;
    return next;
end $$;

-- Whether a request may go: open_until is null when the circuit is closed. One caller at a time is the probe.
create function enter_circuit(p_name text, p_now timestamptz, p_probe_until timestamptz)
returns table (failures integer, open_until timestamptz, probe boolean)
language plpgsql security invoker as $$
declare
    c circuit;
begin
    select * into c from circuit r where r.name = p_name;
    failures := coalesce(c.failures, 0);
    open_until := c.open_until;
    probe := false;
    if c.open_until <= p_now then
        update circuit r set probe_until = p_probe_until
            where r.name = p_name and r.open_until <= p_now and (r.probe_until is null or r.probe_until <= p_now);
        probe := found;
        if not probe then
            open_until := p_now + interval '1 second';
        end if;
    end if;
    return next;
end $$;

-- The party answers again. After an outage everything of its tenant that waits for it is due at once: so it is claimed
-- in the order it came, not in that of its jittered delays. Work in somebody's hand is passed over, never waited for.
create function close_circuit(p_name text, p_now timestamptz) returns boolean
language plpgsql security invoker as $$
declare
    was_open boolean;
    parts text[] := regexp_split_to_array(p_name, ':');
begin
    perform set_config('connector.scope', 'system', true);
    select c.open_until is not null into was_open from circuit c where c.name = p_name for update;
    update circuit c set failures = 0, open_until = null, probe_until = null, updated_at = p_now
        where c.name = p_name and (c.failures > 0 or c.open_until is not null);
    if was_open and parts[1] = 'bexio' then
        update operation o set next_attempt_at = p_now where o.id in (
            select w.id from operation w
            where w.tenant_id = (select b.tenant_id from bexio_connection b where b.company_id = parts[2])
                and w.state = 'waiting' and w.next_attempt_at > p_now
                and w.reason in ('bexio-unreachable', 'bexio-circuit-open')
            for update skip locked);
    end if;
    return was_open;
end $$;
