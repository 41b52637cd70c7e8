-- Retention with incident hold: whole steps (days, chunks) that are older than their class keeps and touch no hold.
-- Each step is a transaction of its own that waits for readers half a second at most: whoever asks for a table after it
-- waits behind it, the engine too, and a backup reads for hours.

create or replace function undercroft_margin() returns interval language sql immutable return interval '1 day';
comment on function undercroft_margin is 'How long before and after an incident its data are held.';

create or replace function undercroft_open_hold() returns interval language sql immutable return interval '60 days';
comment on function undercroft_open_hold is 'How long after it opened an incident that nobody closes holds by itself.';

-- Of a place alone: what ails a device or the system may stand for years, and is no evidence of a flood.
create or replace function undercroft_open_holds() returns table (incident_id text, held_from timestamptz, held_until timestamptz)
    language sql stable as $$
    select i.incident_id, i.opened_at - undercroft_margin(), i.opened_at + undercroft_open_hold() from incident i
    where i.closed_at is null and jsonb_path_exists(i.state, '$.alarms[*].subject ? (@ starts with "space/")')
$$;
comment on function undercroft_open_holds is 'Open incidents of a place: from when on they hold data, and until when they do.';

drop function if exists undercroft_held(timestamptz, timestamptz);
create or replace function undercroft_held(from_at timestamptz, to_at timestamptz, at timestamptz) returns boolean
    language sql stable
    return exists (
        select from incident_hold h left join incident i using (incident_id)
        where h.released_at is null and h.held_from < to_at
            and coalesce(h.held_to, i.closed_at + undercroft_margin(), 'infinity') >= from_at)
    or exists (select from undercroft_open_holds() h where h.held_from < to_at and h.held_until > at);
comment on function undercroft_held is 'Whether a hold, or at that time an open incident of a place, touches this stretch of time.';

-- Of a plain table, on TimescaleDB too.
create or replace function undercroft_table_steps(class retention_class, at timestamptz)
returns table (step_from timestamptz, step_to timestamptz)
language plpgsql stable as $$
begin
    return query execute format(
        'select bin, bin + $1 from (
             select distinct date_bin($1, %1$I, timestamptz ''epoch'') as bin from %2$I where %1$I < $2
         ) as steps
         where bin + $1 <= $2 and not undercroft_held(bin, bin + $1, $3) order by bin',
        class.time_column, class.relation) using class.step, at - class.keep, at;
end
$$;

create or replace function undercroft_delete_step(class retention_class, step_from timestamptz, step_to timestamptz)
returns void language plpgsql as $$
begin
    execute format('delete from %I where %2$I >= $1 and %2$I < $2', class.relation, class.time_column)
        using step_from, step_to;
end
$$;

-- The settings hold for as long as it runs; what it could not lock is as it was.
create or replace function undercroft_try_step(class retention_class, step_from timestamptz, step_to timestamptz)
returns boolean language plpgsql set lock_timeout = '500ms' as $$
begin
    perform undercroft_drop_step(class, step_from, step_to);
    update retention_class set dropped_to = step_to
    where relation = class.relation and (dropped_to is null or dropped_to < step_to);
    return true;
exception
    when lock_not_available then
        return false;
end
$$;
comment on function undercroft_try_step is 'Drop a step and note it, unless somebody reads it; whether it is gone.';

drop function if exists undercroft_retain(timestamptz);
create or replace procedure undercroft_retain(at timestamptz, inout done jsonb default '[]') language plpgsql as $$
declare
    is_live constant boolean := (select mode = 'live' from deployment);
    class retention_class;
    old record;
    steps integer;
    kept_back integer;
    began timestamptz;
    ended timestamptz;
begin
    if not is_live then
        return; -- an exercise is played at any date; nothing in it is old
    end if;
    for class in select * from retention_class where keep is not null order by relation loop
        steps := 0;
        kept_back := 0;
        for old in select * from undercroft_old_steps(class, at) loop
            -- Who reads one chunk reads most likely the next: one wait a relation, and the rest of it at the next run.
            if kept_back = 0 and undercroft_try_step(class, old.step_from, old.step_to) then
                began := case when steps = 0 then old.step_from else began end;
                ended := old.step_to;
                steps := steps + 1;
            else
                kept_back := kept_back + 1;
            end if;
            commit;
        end loop;
        update retention_class set put_off = kept_back, looked_at = at,
            behind_since = case when kept_back > 0 then coalesce(behind_since, at) end
        where relation = class.relation;
        if steps + kept_back > 0 then
            done := done || jsonb_build_object('relation', class.relation, 'steps', steps,
                'dropped_from', case when steps > 0 then began end, 'dropped_to', case when steps > 0 then ended end, 'put_off', kept_back);
        end if;
        commit;
    end loop;
end
$$;
comment on procedure undercroft_retain is 'Drop what is older than its class keeps and not held; by relation what went and how many steps were put off.';

-- Rollups are made of finer ones and these of readings: where one of those was dropped, refreshing would drop the rollup.
-- With the owner's rights, for every service asks its doctor about it.
create or replace function undercroft_refresh_from(level text, at timestamptz) returns timestamptz
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (select max(greatest(class.dropped_to, at - class.keep)) + 2 * max(class.step) filter (where class.relation = 'observation_packed')
    from retention_class class, deployment
    where deployment.mode = 'live' and (class.relation = 'observation_packed' or class.relation = any(
        (array['rollup_1m', 'rollup_10m', 'rollup_1h', 'rollup_1d'])[
            :array_position(array['rollup_1m', 'rollup_10m', 'rollup_1h', 'rollup_1d'], level) - 1])));
end
$$;
comment on function undercroft_refresh_from is 'From when on a rollup may be refreshed; null: from the beginning, as in an exercise.';

-- With the owner's rights, for every service asks its doctor, and few may read what retention looks at. They give names away.
create or replace function undercroft_overdue(at timestamptz) returns setof text
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
        select class.relation from retention_class class
        where class.keep is not null and (select mode from deployment) = 'live'
            and least(class.looked_at, class.behind_since) <= at
            and exists (select from undercroft_old_steps(class, at));
end
$$;
comment on function undercroft_overdue is 'Relations that hold what is older than their class keeps and not held, which retention left, or did not look at, since that time.';

create or replace function undercroft_put_off() returns setof text
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query select relation || ': ' || put_off from retention_class where put_off > 0 order by 1;
end
$$;
comment on function undercroft_put_off is 'Relations of which the last run of retention left steps, for somebody read them.';

-- What is held for no longer than the batches are kept anyway takes no room of its own.
create or replace function undercroft_long_holds(at timestamptz) returns setof text
    language sql stable security definer set search_path = public, pg_temp as $$
    select words from (
        select h.held_from, 'hold ' || h.hold_id || coalesce(' of ' || h.incident_id, '') || ' from '
            || to_char(h.held_from at time zone 'UTC', 'YYYY-MM-DD') || ' on' as words
        from incident_hold h where h.released_at is null
        union all
        select held_from, incident_id || ', open since ' || to_char((held_from + undercroft_margin()) at time zone 'UTC', 'YYYY-MM-DD')
            || case when held_until > at then ', holds until ' else ', holds nothing any more since ' end
            || to_char(held_until at time zone 'UTC', 'YYYY-MM-DD')
        from undercroft_open_holds()
    ) as holds
    where held_from < at - (select keep from retention_class where relation = 'batch') and (select mode from deployment) = 'live'
    order by held_from
$$;
comment on function undercroft_long_holds is 'Holds and open incidents of a place that reach further back than batches are kept.';
