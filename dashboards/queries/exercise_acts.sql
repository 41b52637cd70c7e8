-- What people did in the range.
-- at | time |  | 时间 At
-- act | text | act | 行动 Act
-- subject | text |  | 对象 Subject
-- author | text |  | 人员 Who
-- age_s | number | s | 距时段末 Before the end | plain
select a.acted_at as at, a.kind as act, coalesce(s.name, a.subject) as subject, a.author,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.acted_at)::float8 as age_s
from grafana.act a
left join grafana.space s on 'space/' || s.space_id = a.subject
where $__timeFilter(a.acted_at) and {{chosen:s}}
order by a.acted_at desc, a.commit_seq desc
limit 300;
