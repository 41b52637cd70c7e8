-- Readings and rollups in schema `grafana` carry the flag that stands now, as `observation_flagged` has it: a person's correction
-- before every test, else the worst of the flag at arrival and of what a later sample showed. Stored rollups keep the flags
-- at arrival; of a bucket that a correction touches the view gives the figures counted anew. What a later sample showed is
-- suspect at most and changes no value: rollups leave it out, since it touches buckets of every sensor. A sensor without
-- corrections costs one look into a hash of those that have some, so a condition by sensor always stands first.

create view grafana.correction as
select quality_flag_id, sensor_id, observed_from, observed_to, quality, author, reason
from public.quality_flag where act_id is not null and undone_by is null;
comment on view grafana.correction is 'What people say of readings, as far as nobody took it back; the newest stands.';

create view grafana.later_flag as
select sensor_id, observed_from as observed_at, quality from public.quality_flag where act_id is null;
comment on view grafana.later_flag is 'Flags that a test gave once the next sample was there.';

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

-- At a cost that hides how seldom it is asked, or the planner would take another way for every bucket.
create function grafana.is_corrected(sensor integer, since timestamptz, past timestamptz) returns boolean
language plpgsql stable cost 1 as $$
begin
    return exists (
        select from grafana.correction c where c.sensor_id = sensor and c.observed_from < past and c.observed_to >= since);
end
$$;

-- A bucket by the flags that stand now. Of one that the newest correction covers whole nothing need be read. Where readings of
-- it are gone that the stored one counted, the stored one stays.
create function grafana.bucket_now(sensor integer, since timestamptz, width interval, stored grafana.bucket, readings bigint)
returns grafana.bucket language plpgsql stable cost 1 as $$
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

do $$
declare
    level record;
    corrected text;
    anew text;
begin
    for level in select * from (values ('rollup_1m', '1 minute'), ('rollup_10m', '10 minutes'), ('rollup_1h', '1 hour'),
        ('rollup_1d', '1 day')) as t (name, width)
    loop
        corrected := format('r.sensor_id in (select c.sensor_id from grafana.correction c)'
            ' and grafana.is_corrected(r.sensor_id, r.bucket, r.bucket + interval %1$L)', level.width);
        anew := format('grafana.bucket_now(r.sensor_id, r.bucket, interval %1$L, (r.min_value, r.max_value, r.total, r.last_value,'
            ' r.usable, r.good, r.suspect, r.failed, r.worst_quality)::grafana.bucket, r.readings)', level.width);
        execute format($view$
            create view grafana.%1$s as
            select r.sensor_id, r.bucket,
                case when %2$s then (%3$s).min_value else r.min_value end as min_value,
                case when %2$s then (%3$s).max_value else r.max_value end as max_value,
                case when %2$s then (select f.total / nullif(f.usable, 0) from %3$s f)
                    else r.total / nullif(r.usable, 0) end as mean_value,
                case when %2$s then (%3$s).last_value else r.last_value end as last_value,
                case when %2$s then (%3$s).usable else r.usable end as usable, r.readings,
                case when %2$s then (%3$s).worst_quality else r.worst_quality end as worst_quality,
                case when %2$s then (%3$s).good else r.good end as good,
                case when %2$s then (select f.usable - f.good - f.suspect from %3$s f)
                    else r.usable - r.good - r.suspect end as not_evaluated,
                case when %2$s then (%3$s).suspect else r.suspect end as suspect,
                case when %2$s then (%3$s).failed else r.failed end as failed,
                case when %2$s then (select r.readings - f.usable - f.failed from %3$s f)
                    else r.readings - r.usable - r.failed end as missing
            from public.%1$s r$view$, level.name, corrected, anew);
    end loop;
end
$$;
