-- Rain warnings entered by people in the range.
-- warning | text |  | 预警 Warning
-- colour | text |  | 颜色 Colour
-- state | text |  | 状态 State
-- author | text |  | 录入人 Author
-- acted_at | time |  | 时间 Time
-- age_s | number | s | 距今 Ago
select subject as warning, body ->> 'colour' as colour, body ->> 'state' as state, author, acted_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - acted_at)::float8 as age_s
from grafana.act
where kind = 'rain_warning' and $__timeFilter(acted_at)
order by acted_at desc, subject
limit 100;
