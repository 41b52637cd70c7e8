-- Retention with incident hold: whole steps (days, chunks) that are older than their class keeps and touch no hold.

create or replace function undercroft_margin() returns interval language sql immutable return interval '1 day';
comment on function undercroft_margin is 'How long before and after an incident its data are held.';

create or replace function undercroft_held(from_at timestamptz, to_at timestamptz) returns boolean
    language sql stable
    return exists (
        select from incident_hold h left join incident i using (incident_id)
        where h.released_at is null and h.held_from < to_at
            and coalesce(h.held_to, i.closed_at + undercroft_margin(), 'infinity') >= from_at)
    or exists (select from incident where closed_at is null and opened_at - undercroft_margin() < to_at);
comment on function undercroft_held is 'Whether a hold or an open incident touches this stretch of time.';

create or replace function undercroft_retain(at timestamptz)
returns table (relation text, dropped_from timestamptz, dropped_to timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
    is_live constant boolean := (select mode = 'live' from deployment);
    class retention_class;
    old record;
begin
    if not is_live then
        return; -- an exercise is played at any date; nothing in it is old
    end if;
    for class in select * from retention_class where keep is not null order by relation loop
        for old in select * from undercroft_old_steps(class, at) loop
            perform undercroft_drop_step(class, old.step_from, old.step_to);
            relation := class.relation;
            dropped_from := old.step_from;
            dropped_to := old.step_to;
            return next;
            update retention_class set dropped_to = old.step_to
            where relation = class.relation and (retention_class.dropped_to is null or retention_class.dropped_to < old.step_to);
        end loop;
    end loop;
end
$$;

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

-- With the owner's rights, for every service asks its doctor, and few may read what retention looks at. It gives names away.
create or replace function undercroft_overdue(at timestamptz) returns setof text
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
        select class.relation from retention_class class
        where class.keep is not null and (select mode from deployment) = 'live'
            and exists (select from undercroft_old_steps(class, at));
end
$$;
comment on function undercroft_overdue is 'Relations that hold what is older than their class keeps and not held.';

comment on function undercroft_retain is 'Drop what is older than its class keeps and not held; the stretches dropped.';
