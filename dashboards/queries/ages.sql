-- Age of the newest reading, judgement and batch at the end of the range.
-- reading_age_s | number | s | 最新读数龄 Newest reading
-- tick_age_s | number | s | 最新研判龄 Newest judgement
-- batch_age_s | number | s | 最新入库龄 Newest batch
select
    extract(epoch from to_timestamp($__unixEpochTo()) - coalesce(
        (select max(observed_to) from grafana.batch
            where at <= to_timestamp($__unixEpochTo()) and observed_to <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 900)),
        (select max(observed_to) from grafana.batch
            where at <= to_timestamp($__unixEpochTo()) and observed_to <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 86400))
    ))::float8 as reading_age_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - (select max(tick_at) from grafana.tick
        where tick_at <= to_timestamp($__unixEpochTo()) and tick_at > to_timestamp($__unixEpochTo() - 86400)))::float8 as tick_age_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - (select max(at) from grafana.batch
        where at <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 86400)))::float8 as batch_age_s;
