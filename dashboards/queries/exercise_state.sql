-- Whether this is an exercise, and how far its clock has come.
-- mode | text |  | 模式 Mode
-- clock | time |  | 演练时钟 Run clock
-- ticks | number | count | 研判次数 Judgements
-- alarms | number | count | 警报 Alarms
-- age_s | number | s | 距时段末 Before the range's end
select case d.mode when 'exercise' then '演练 Exercise' else '实战 Live' end as mode,
    (select max(tick_at) from grafana.tick where $__timeFilter(tick_at)) as clock,
    (select count(*) from grafana.tick where $__timeFilter(tick_at)) as ticks,
    (select count(*) from grafana.alarm where $__timeFilter(raised_at)) as alarms,
    (select extract(epoch from to_timestamp($__unixEpochTo()) - max(tick_at)) from grafana.tick where $__timeFilter(tick_at))::float8 as age_s
from grafana.deployment d;
