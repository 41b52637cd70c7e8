-- Whether an order still had the barriers of a space up in time, over time, before orange and before red. A judgement holds until the next one, ten minutes
-- at most; then it is unknown, and never calm.
-- time | time |  | 时间 Time
-- metric | text |  | 之前 Before
-- value | number | deadline | 时限 Deadline
with told as (
    select d.tick_at as at, case d.target when 'orange' then '★ 橙色前 Before orange' else '✚ 红色前 Before red' end as metric,
        array_position({{deadline_words}}, case when d.due_at <= d.tick_at then 'now' else d.state end) - 1 as value,
        lead(d.tick_at, 1, to_timestamp($__unixEpochTo())) over (partition by d.target order by d.tick_at) as next_at
    from grafana.barrier_deadline d
    where $__timeFilter(d.tick_at) and {{in:place:d.space_id}}
)
select at as time, metric, value from told
union all
select at + interval '10 minutes', metric, {{deadline_unknown}} from told where at + interval '10 minutes' < next_at
order by 1, 2, 3;
