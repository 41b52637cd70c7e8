-- What people did in the range.
-- at | time |  | 时间 At
-- act | text |  | 行动 Act
-- subject | text |  | 对象 Subject
-- author | text |  | 人员 Who
-- age_s | number | s | 距时段末 Before the end
select acted_at as at, kind as act, subject, author, extract(epoch from to_timestamp($__unixEpochTo()) - acted_at)::float8 as age_s
from grafana.act where $__timeFilter(acted_at)
order by acted_at desc, subject
limit 300;
