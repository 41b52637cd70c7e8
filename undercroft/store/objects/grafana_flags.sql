-- Readings and rollups in schema `grafana` carry the flag that stands now, as `observation_flagged` has it: a person's correction
-- before every test, else the worst of the flag at arrival and of what a later sample showed. Stored rollups keep the flags
-- at arrival; of a bucket that a correction touches the view gives the figures counted anew. What a later sample showed is
-- suspect at most and changes no value: of a rollup the worst flag knows it, the counts do not (`counted_later` is to be added to
-- them), for it touches buckets of every sensor at any time.

create view grafana.correction as
select quality_flag_id, sensor_id, observed_from, observed_to, quality, author, reason
from public.quality_flag where act_id is not null and undone_by is null;
comment on view grafana.correction is 'What people say of readings, as far as nobody took it back; the newest stands.';

create view grafana.later_flag as
select sensor_id, observed_from as observed_at, quality, quality_at_arrival from public.quality_flag where act_id is null;
comment on view grafana.later_flag is 'Flags that a test gave once the next sample was there.';

-- To be added to the counts of a rollup: what a later sample showed of readings that nobody corrected.
create view grafana.counted_later as
select l.sensor_id, l.observed_at, -(l.quality_at_arrival = 1)::integer::bigint as good,
    -(l.quality_at_arrival = 2)::integer::bigint as not_evaluated, 1::bigint as suspect
from grafana.later_flag l
where l.quality_at_arrival < 3 and not exists (select from grafana.correction c
    where c.sensor_id = l.sensor_id and c.observed_from <= l.observed_at and c.observed_to >= l.observed_at);
comment on view grafana.counted_later is 'Good or not evaluated when they came, suspect since: what counts of rollups do not know.';

create view grafana.flagged_later as
select sensor_id from public.sensor s where exists (select from public.quality_flag f where f.sensor_id = s.sensor_id and f.act_id is null);

create view grafana.observation as
select o.sensor_id, o.observed_at, o.value,
    case when o.sensor_id in (select c.sensor_id from grafana.correction c) or o.sensor_id in (select l.sensor_id from grafana.flagged_later l)
        then coalesce(
            (select c.quality from grafana.correction c
                where c.sensor_id = o.sensor_id and c.observed_from <= o.observed_at and c.observed_to >= o.observed_at
                order by c.quality_flag_id desc limit 1),
            (select greatest(o.quality, max(l.quality)) from grafana.later_flag l
                where l.sensor_id = o.sensor_id and l.observed_at = o.observed_at))
        else o.quality end as quality,
    o.received_at, o.batch_id, o.quality as quality_at_arrival
from public.observation o;

-- For rollups: by corrections alone.
create view grafana.corrected_observation as
select o.sensor_id, o.observed_at, o.value,
    coalesce((select c.quality from grafana.correction c
        where c.sensor_id = o.sensor_id and c.observed_from <= o.observed_at and c.observed_to >= o.observed_at
        order by c.quality_flag_id desc limit 1), o.quality) as quality
from public.observation o;

create type grafana.bucket as (
    min_value double precision, max_value double precision, total double precision, last_value double precision, usable bigint,
    good bigint, suspect bigint, failed bigint, worst_quality smallint
);

create function grafana.day_of(at timestamptz) returns timestamptz
language sql immutable parallel safe
return date_bin('1 day', at, timestamptz '2000-01-03 00:00:00+00');

-- A bucket by the flags that stand now. Of one that the newest correction covers whole nothing need be read. Where readings of
-- it are gone that the stored one counted, the stored one stays.
create function grafana.bucket_now(sensor integer, since timestamptz, width interval, stored grafana.bucket, readings bigint)
returns grafana.bucket language plpgsql stable parallel safe as $$
#variable_conflict use_column
declare
    past constant timestamptz := since + width;
    made record;
    fresh grafana.bucket;
    found bigint;
begin
    select c.quality, c.observed_from <= since and c.observed_to >= past - interval '1 microsecond' as covers into made
    from grafana.correction c
    where c.sensor_id = sensor and c.observed_from < past and c.observed_to >= since
    order by c.quality_flag_id desc limit 1;
    if made.covers and made.quality >= 4 then
        return (null, null, null, null, 0, 0, 0, case made.quality when 4 then readings else 0 end, made.quality)::grafana.bucket;
    elsif made.covers and stored.usable = readings then
        return (stored.min_value, stored.max_value, stored.total, stored.last_value, readings,
            case made.quality when 1 then readings else 0 end, case made.quality when 3 then readings else 0 end, 0,
            made.quality)::grafana.bucket;
    end if;
    select min(o.value) filter (where o.quality < 4), max(o.value) filter (where o.quality < 4),
        sum(o.value) filter (where o.quality < 4),
        (array_agg(o.value order by o.observed_at desc) filter (where o.quality < 4))[1],
        count(*) filter (where o.quality < 4), count(*) filter (where o.quality = 1), count(*) filter (where o.quality = 3),
        count(*) filter (where o.quality = 4), max(o.quality)::smallint, count(*)
    into fresh.min_value, fresh.max_value, fresh.total, fresh.last_value, fresh.usable, fresh.good, fresh.suspect, fresh.failed,
        fresh.worst_quality, found
    from grafana.corrected_observation o
    where o.sensor_id = sensor and o.observed_at >= since and o.observed_at < past;
    return case when found >= readings then fresh else stored end;
end
$$;

create function grafana.worst_later(sensor integer, since timestamptz, width interval) returns smallint
language sql stable parallel safe
return (select 3::smallint from grafana.counted_later l
    where l.sensor_id = sensor and l.observed_at >= since and l.observed_at < since + width limit 1);

create view grafana.corrected_day as
select distinct c.sensor_id, day
from grafana.correction c
cross join lateral generate_series(grafana.day_of(c.observed_from), c.observed_to, interval '24 hours') as day;
comment on view grafana.corrected_day is 'Days (UTC) of a sensor that a correction touches.';

-- A bucket that a correction touches is asked for, all others are told as stored. First comes a look into a hash of the days that one
-- touches: by it what most buckets cost does not depend on how many corrections there ever were.
-- TimescaleDB looks the buckets of those days up by their index; a plain database has none, and goes through all of them.
do $$
declare
    looked_up constant text := $from$grafana.corrected_day d join lateral (
        select distinct on (sensor_id, bucket) * from public.%1$I -- distinct as they are, so that a range is asked for in here
        where sensor_id = d.sensor_id and bucket >= d.day and bucket < d.day + interval '24 hours') r on r.sensor_id = d.sensor_id$from$;
    touched constant text := case when exists (select from pg_extension where extname = 'timescaledb') then looked_up
        else 'public.%1$I r' end;
    level record;
begin
    for level in select * from (values ('rollup_1m', '1 minute'), ('rollup_10m', '10 minutes'), ('rollup_1h', '1 hour'),
        ('rollup_1d', '1 day')) as t (name, width)
    loop
        execute format($view$
            create view grafana.%1$I as
            select r.sensor_id, r.bucket, r.min_value, r.max_value, r.total / nullif(r.usable, 0) as mean_value, r.last_value,
                r.usable, r.readings, greatest(r.worst_quality, grafana.worst_later(r.sensor_id, r.bucket, interval %2$L)) as worst_quality,
                r.good, r.usable - r.good - r.suspect as not_evaluated, r.suspect, r.failed, r.readings - r.usable - r.failed as missing
            from public.%1$I r
            where (r.sensor_id, grafana.day_of(r.bucket)) not in (select d.sensor_id, d.day from grafana.corrected_day d)
                or not exists (select from grafana.correction c where c.sensor_id = r.sensor_id
                    and c.observed_from < r.bucket + interval %2$L and c.observed_to >= r.bucket)
            union all
            select r.sensor_id, r.bucket, f.min_value, f.max_value, f.total / nullif(f.usable, 0), f.last_value,
                f.usable, r.readings, greatest(f.worst_quality, grafana.worst_later(r.sensor_id, r.bucket, interval %2$L)),
                f.good, f.usable - f.good - f.suspect, f.suspect, f.failed, r.readings - f.usable - f.failed
            from %3$s
            cross join lateral grafana.bucket_now(r.sensor_id, r.bucket, interval %2$L, (r.min_value, r.max_value, r.total,
                r.last_value, r.usable, r.good, r.suspect, r.failed, r.worst_quality)::grafana.bucket, r.readings) f
            where exists (select from grafana.correction c where c.sensor_id = r.sensor_id
                and c.observed_from < r.bucket + interval %2$L and c.observed_to >= r.bucket)$view$,
            level.name, level.width, format(touched, level.name));
    end loop;
end
$$;
