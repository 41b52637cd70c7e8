-- The load on the operator over the range, against EEMUA 191 and ISA-18.2.
-- raised | number | count | 新警报 Raised
-- worst_10_min | number | per 10 min | 最密 10 分钟 Worst 10 min | load
-- flood_share | number | share | 泛滥时段占比 Share of time in flood | grave
-- open | number | count | 未关 Open
-- unacknowledged | number | count | 未确认 Unacknowledged | amiss
-- oldest_open_age_s | number | s | 最久未关 Oldest open | amiss
with raised as (
    select date_bin('10 minutes', a.raised_at, timestamptz '2000-01-03 00:00+00') as step, count(*) as n
    from grafana.alarm a where $__timeFilter(a.raised_at) and {{chosen:a}} group by 1
), open as materialized (
    select a.raised_at, a.acknowledged from grafana.alarm_at(to_timestamp($__unixEpochTo())) a where {{chosen:a}}
)
select coalesce((select sum(n) from raised), 0)::float8 as raised, coalesce((select max(n) from raised), 0)::float8 as worst_10_min,
    coalesce((select count(*) from raised where n >= 10), 0)::float8 * 600 / greatest($__unixEpochTo() - $__unixEpochFrom(), 600) as flood_share,
    (select count(*) from open) as open, (select count(*) from open where not acknowledged) as unacknowledged,
    (select extract(epoch from to_timestamp($__unixEpochTo()) - min(raised_at)) from open)::float8 as oldest_open_age_s;
