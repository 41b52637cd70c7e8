-- Severity of each alarm over time; cleared is normal.
-- time | time |  | 时间 Time
-- metric | text |  | 对象 Subject
-- value | number | level | 等级 Severity
select e.tick_at as time, a.name as metric, case when e.kind = 'cleared' then 0 else e.severity end::float8 as value
from grafana.alarm_event e
join grafana.alarm a using (subject, occurrence)
where $__timeFilter(e.tick_at) and (a.street is null or {{in:street:a.street}})
    and (a.subject_kind <> 'space' or {{in:space:a.place_id}})
    and a.subject in (
        select w.subject from grafana.alarm w where w.raised_at <= to_timestamp($__unixEpochTo())
        order by w.peak_severity desc, w.raised_at desc, w.subject limit 30)
order by 1, 2, e.event_no;
