-- The last judgement before the end of the range: what was on the screen at that moment.
-- tick_at | time |  | 研判时间 Judged at
-- tick_seq | number | count | 序号 Tick
-- spaces | number | count | 该次写出 Written by it
-- age_s | number | s | 龄 Age
select t.tick_at, t.tick_seq::float8 as tick_seq, (
        select count(*) from grafana.assessment a
        where a.tick_seq = t.tick_seq and a.tick_at = t.tick_at
            -- said once more with the range, so that chunks of other days are put out before it begins
            and a.tick_at <= to_timestamp($__unixEpochTo()) and a.tick_at > to_timestamp($__unixEpochTo() - 86400)
    ) as spaces,
    extract(epoch from to_timestamp($__unixEpochTo()) - t.tick_at)::float8 as age_s
from grafana.tick t
where t.tick_at <= to_timestamp($__unixEpochTo()) and t.tick_at > to_timestamp($__unixEpochTo() - 86400)
order by t.tick_seq desc limit 1;
