-- Readings and rollups in schema `grafana` carry the flag that stands now, as `observation_flagged` has it: a person's correction
-- before every test, else the worst of the flag at arrival and of what a later sample showed. Stored rollups keep the flags
-- at arrival; of a bucket that a correction touches the view gives the figures counted anew. What a later sample showed is
-- suspect at most and changes no value: it moves counts, and may be the worst flag.

create view grafana.correction as
select quality_flag_id, sensor_id, observed_from, observed_to, quality, author, reason
from public.quality_flag where act_id is not null and undone_by is null;
comment on view grafana.correction is 'What people say of readings, as far as nobody took it back; the newest stands.';

create view grafana.later_flag as
select sensor_id, observed_from as observed_at, quality, quality_at_arrival from public.quality_flag where act_id is null;
comment on view grafana.later_flag is 'Flags that a test gave once the next sample was there.';

-- What a later sample showed of readings that nobody corrected moves the counts of their buckets.
create view grafana.counted_later as
select l.sensor_id, l.observed_at, -(l.quality_at_arrival = 1)::integer::bigint as good,
    -(l.quality_at_arrival = 2)::integer::bigint as not_evaluated, 1::bigint as suspect
from grafana.later_flag l
where l.quality_at_arrival < 3 and not exists (select from grafana.correction c
    where c.sensor_id = l.sensor_id and c.observed_from <= l.observed_at and c.observed_to >= l.observed_at);
comment on view grafana.counted_later is 'Good or not evaluated when they came, suspect since: to be added to the columns good_without_later, ... of rollups.';

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

create view grafana.corrected_day as
select distinct c.sensor_id, day
from grafana.correction c
cross join lateral generate_series(grafana.day_of(c.observed_from), c.observed_to, interval '24 hours') as day;
comment on view grafana.corrected_day is 'Days (UTC) of a sensor that a correction touches.';

-- Each stored bucket is read once, and a look into a hash of the days that corrections touch tells which may have to be counted anew:
-- what all others cost does not depend on how many corrections there ever were. clock_timestamp() keeps the planner from copying the
-- call of bucket_now into each column that is asked for.
-- Later flags are all gone through, but for a column that they move alone: else the planner drops the join, since it has one row
-- a bucket at most. So whoever wants counts of a range fast takes those without_later and adds `counted_later` of the range.
-- A reading that came late and is in no rollup yet moves nothing (least).
do $$
declare
    level record;
begin
    for level in select * from (values ('rollup_1m', '1 minute'), ('rollup_10m', '10 minutes'), ('rollup_1h', '1 hour'),
        ('rollup_1d', '1 day')) as t (name, width)
    loop
        execute format($view$
            create view grafana.%1$I as
            select b.sensor_id, b.bucket, b.min_value, b.max_value, b.total / nullif(b.usable, 0) as mean_value, b.last_value,
                b.usable, b.readings, greatest(b.worst_quality, case when later.suspect > 0 then 3::smallint end) as worst_quality,
                b.good - least(b.good, coalesce(later.good, 0)) as good,
                b.not_evaluated - least(b.not_evaluated, coalesce(later.not_evaluated, 0)) as not_evaluated,
                b.suspect + least(b.good, coalesce(later.good, 0)) + least(b.not_evaluated, coalesce(later.not_evaluated, 0)) as suspect,
                b.failed, b.readings - b.usable - b.failed as missing,
                b.good as good_without_later, b.not_evaluated as not_evaluated_without_later, b.suspect as suspect_without_later
            from (
                select sensor_id, bucket, readings,
                    case when (f).usable is null then min_value else (f).min_value end as min_value,
                    case when (f).usable is null then max_value else (f).max_value end as max_value,
                    case when (f).usable is null then total else (f).total end as total,
                    case when (f).usable is null then last_value else (f).last_value end as last_value,
                    coalesce((f).usable, usable) as usable, coalesce((f).good, good) as good,
                    coalesce((f).usable - (f).good - (f).suspect, usable - good - suspect) as not_evaluated,
                    coalesce((f).suspect, suspect) as suspect, coalesce((f).failed, failed) as failed,
                    coalesce((f).worst_quality, worst_quality) as worst_quality
                from (
                    select r.*, case when d.sensor_id is not null and clock_timestamp() is not null and exists (
                            select from grafana.correction c where c.sensor_id = r.sensor_id
                                and c.observed_from < r.bucket + interval %2$L and c.observed_to >= r.bucket)
                        then grafana.bucket_now(r.sensor_id, r.bucket, interval %2$L, (r.min_value, r.max_value, r.total, r.last_value,
                            r.usable, r.good, r.suspect, r.failed, r.worst_quality)::grafana.bucket, r.readings) end as f
                    from public.%1$I r
                    left join grafana.corrected_day d on d.sensor_id = r.sensor_id and d.day = grafana.day_of(r.bucket)
                ) as stored
            ) b
            left join (
                select sensor_id, date_bin(interval %2$L, observed_at, timestamptz '2000-01-03 00:00:00+00') as bucket,
                    -sum(good)::bigint as good, -sum(not_evaluated)::bigint as not_evaluated, sum(suspect)::bigint as suspect
                from grafana.counted_later group by 1, 2
            ) later on later.sensor_id = b.sensor_id and later.bucket = b.bucket$view$, level.name, level.width);
    end loop;
end
$$;
