-- Readings per quality flag over time.
-- time | time |  | 时间 Time
-- metric | text |  | 标志 Flag
-- value | number | count | 读数 Readings
select date_bin(greatest(interval '1 minute', $__interval_ms / 1000 * interval '1 second'), o.observed_at, timestamptz '2000-01-03 00:00+00') as time,
    case o.quality when 1 then '1 可信 Good' when 2 then '2 未评 Not evaluated' when 3 then '3 可疑 Suspect'
        when 4 then '4 错误 Fail' else '9 缺失 Missing' end as metric,
    count(*)::float8 as value
from grafana.observation o
join grafana.sensor n on n.sensor_id = o.sensor_id
where $__timeFilter(o.observed_at) and {{in:street:n.street}}
group by 1, 2
order by 1, 2, 3;
