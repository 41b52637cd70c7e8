-- Thresholds that the site states for its own; the engine's defaults are in its documentation.
-- rule | text |  | 规则 Rule
-- level | number | level | 等级 Level
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- source | text |  | 依据 Source
-- author | text |  | 制定人 Author
-- valid_age_s | number | s | 生效已 In force for
select t.rule, t.severity::int as level, t.value, t.unit, t.source, t.author,
    extract(epoch from to_timestamp($__unixEpochTo()) - t.valid_from)::float8 as valid_age_s
from grafana.threshold t
where (t.space_id is null or {{in:space:t.space_id}}) and t.valid_from <= to_timestamp($__unixEpochTo())
order by t.rule, t.severity;
