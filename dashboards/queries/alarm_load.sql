-- Alarms raised per ten minutes; EEMUA 191: one is manageable, ten are a flood.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | per 10 min | 每 10 分钟 Per 10 min
select step as time, '新警报 Raised' as metric,
    (select count(*) from grafana.alarm a where a.raised_at >= step and a.raised_at < step + interval '10 minutes'
        and (a.street is null or {{in:street:a.street}}))::float8 as value
from generate_series(date_bin('10 minutes', to_timestamp($__unixEpochFrom()), timestamptz '2000-01-03 00:00+00'), to_timestamp($__unixEpochTo()),
    greatest(interval '10 minutes', ($__unixEpochTo() - $__unixEpochFrom()) / 1000 * interval '1 second')) as step
order by 1;
