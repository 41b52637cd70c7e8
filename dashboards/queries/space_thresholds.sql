-- The thresholds in force at a space: the engine's defaults, and what the site in force says instead, in the engine's own order. One of the
-- space goes before all others; then the set that applies later, the defaults first of all; in one set a row of a kind before one of all.
-- rule | text |  | 规则 Rule
-- level | number | level | 等级 Level
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- origin | text |  | 出自 From
-- source | text |  | 依据 Source
-- author | text |  | 制定人 Author
-- valid_age_s | number | s | 生效已 In force for | plain
with stated as (
    select d.rule, d.kind, null::text as space_id, d.severity, d.value, d.unit, d.source, null::text as author,
        null::timestamptz as valid_from, 0 as place
    from {{default_thresholds}} as d (rule, kind, severity, value, unit, source)
    union all
    select t.rule, t.kind, t.space_id, t.severity, t.value, t.unit, t.source, t.author, t.valid_from, t.place
    from grafana.threshold_at(to_timestamp($__unixEpochTo())) t
), applied as (
    select distinct on (s.space_id, t.rule, t.severity) s.space_id as place_id, t.rule, t.severity, t.value, t.unit,
        t.source, t.author, t.valid_from
    from grafana.space_at(to_timestamp($__unixEpochTo())) s
    join stated t on (t.space_id is null or t.space_id = s.space_id) and (t.kind is null or t.kind = s.kind)
    where {{in:place:s.space_id}}
    order by s.space_id, t.rule, t.severity, (t.space_id is not null) desc, t.place desc, (t.kind is not null) desc
)
select a.rule, a.severity::int as level, a.value, a.unit,
    case when a.author is null then '默认 Default' else '站点 Site' end as origin, a.source, a.author,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.valid_from)::float8 as valid_age_s
from applied a
order by a.place_id, a.rule, a.severity;
