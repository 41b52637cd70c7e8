-- Rain of the basin of a space, as the engine judged it.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | mm | 雨量 Rain
select a.tick_at as time, window_min.word || ' min' as metric, (a.evidence -> 'rain_mm' ->> window_min.word)::float8 as value
from grafana.assessment a
cross join (values ('5'), ('10'), ('60')) as window_min (word)
where $__timeFilter(a.tick_at) and {{in:place:a.space_id}}
order by 1, 2, 3;
