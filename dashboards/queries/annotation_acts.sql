-- What people told the engine; of the chosen space or of all.
-- time | time |  | 时间 Time
-- title | text |  | 行动 Act
-- text | text |  | 人员 Who
-- tags | text |  | 标签 Tags
select a.acted_at as time, a.kind || ' ' || coalesce(s.name, a.subject) as title, a.author as text, a.kind as tags
from grafana.act a left join grafana.space s on 'space/' || s.space_id = a.subject
where $__timeFilter(a.acted_at) and {{chosen:s}} and {{in:space:s.space_id}}
order by a.acted_at, a.commit_seq limit 500;
