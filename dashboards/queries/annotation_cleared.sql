-- Alarms that ended, of the chosen space or of all.
-- time | time |  | 时间 Time
-- title | text |  | 警报 Alarm
-- text | text |  | 原因 Reason
-- tags | text |  | 标签 Tags
select e.tick_at as time, '{{sign}} ' || a.name as title,
    case e.kind when 'cleared' then '解除 Cleared' else '人工解除 Stood down' end as text, e.kind as tags
from grafana.alarm_event e join grafana.alarm a using (subject, occurrence)
where $__timeFilter(e.tick_at) and e.kind in ('cleared', 'stood_down') and {{chosen:a}} and {{in:space:a.space_id}}
order by 1, 2 limit 500;
