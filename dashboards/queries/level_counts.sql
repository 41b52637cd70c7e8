-- Spaces per level, and the share that is blind, at the end of the range.
-- red | number | count | ✚ 红 Red | level:4
-- orange | number | count | ★ 橙 Orange | level:3
-- yellow | number | count | ▲ 黄 Yellow | level:2
-- blue | number | count | ■ 蓝 Blue | level:1
-- normal | number | count | ● 正常 Normal | level:0
-- not_judged | number | count | ○ 未研判 Not judged | blind
-- blind_share | number | share | ✖ 盲区占比 Blind share | blind
-- worst_age_s | number | s | 最旧研判龄 Oldest judgement
select
    count(*) filter (where a.level = 4) as red,
    count(*) filter (where a.level = 3) as orange,
    count(*) filter (where a.level = 2) as yellow,
    count(*) filter (where a.level = 1) as blue,
    count(*) filter (where a.level = 0) as normal,
    count(*) filter (where a.level is null) as not_judged,
    (count(*) filter (where coalesce(a.blind, true)))::float8 / nullif(count(*), 0) as blind_share,
    extract(epoch from to_timestamp($__unixEpochTo()) - min(a.tick_at))::float8 as worst_age_s
from grafana.space_at(to_timestamp($__unixEpochTo())) s
left join lateral (
    select a.level, a.score, a.blind, a.reasons, a.evidence, a.tick_at from grafana.assessment a
    where a.space_id = s.space_id and a.tick_at > to_timestamp($__unixEpochTo() - 3600) and a.tick_at <= to_timestamp($__unixEpochTo())
    order by a.tick_seq desc limit 1
) a on true
where {{chosen:s}};
