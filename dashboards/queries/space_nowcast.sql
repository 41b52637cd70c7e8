-- Minutes to orange and to red as they were forecast over time.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | min | 分钟 Minutes
select a.tick_at as time, target.name as metric, (a.evidence ->> target.word)::float8 as value
from grafana.assessment a
cross join (values ('time_to_orange_min', '★ 距橙色 To orange'), ('time_to_red_min', '✚ 距红色 To red')) as target (word, name)
where $__timeFilter(a.tick_at) and {{in:place:a.space_id}} and a.evidence ->> target.word is not null
order by 1, 2, 3;
