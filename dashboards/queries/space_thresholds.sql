-- The thresholds in force at a space: the engine's defaults, and where the site states its own, those. One of the space goes before one of
-- its kind, that before one of all; of the same reach the set that is valid from later.
-- rule | text |  | 规则 Rule
-- level | number | level | 等级 Level
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- origin | text |  | 出自 From
-- source | text |  | 依据 Source
-- author | text |  | 制定人 Author
-- valid_age_s | number | s | 生效已 In force for
with stated as (
    select d.rule, d.kind, null::text as space_id, d.severity, d.value, d.unit, d.source, null::text as author,
        null::timestamptz as valid_from, null::text as threshold_set_id
    from {{default_thresholds}} as d (rule, kind, severity, value, unit, source)
    union all
    select t.rule, t.kind, t.space_id, t.severity, t.value, t.unit, t.source, t.author, t.valid_from, t.threshold_set_id
    from grafana.threshold t where t.valid_from <= to_timestamp($__unixEpochTo())
), applied as (
    select distinct on (s.space_id, t.rule, t.severity) s.space_id as place_id, t.rule, t.severity, t.value, t.unit,
        t.source, t.author, t.valid_from
    from grafana.space s
    join stated t on (t.space_id is null or t.space_id = s.space_id) and (t.kind is null or t.kind = s.kind)
    where {{chosen:s}}
    order by s.space_id, t.rule, t.severity, (t.space_id is not null) desc, (t.kind is not null) desc, t.valid_from desc nulls last,
        t.threshold_set_id desc nulls last
)
select a.rule, a.severity::int as level, a.value, a.unit,
    case when a.author is null then '默认 Default' else '站点 Site' end as origin, a.source, a.author,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.valid_from)::float8 as valid_age_s
from applied a
order by a.place_id, a.rule, a.severity;
