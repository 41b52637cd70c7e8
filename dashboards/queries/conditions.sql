-- What ailed the system and its devices at the end of the range: caps reached, tables too large, workers gone; those that held first.
-- subject | text |  | 对象 Subject
-- name | text |  | 状况 Condition
-- is_active | flag |  | 存在 Holds
-- value | number |  | 值 Value
-- threshold | number |  | 限值 Limit
-- unit | text |  | 单位 Unit
-- detail | text |  | 说明 Detail
-- changed_at | time |  | 变化于 Changed at
-- age_s | number | s | 距变化 Since | plain
select subject, name, is_active, value, threshold, unit, detail, changed_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - changed_at)::float8 as age_s
from grafana.condition_at(to_timestamp($__unixEpochTo()))
order by is_active desc, changed_at desc, subject, name
limit 100;
