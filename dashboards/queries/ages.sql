-- Age of the newest reading, judgement and batch at the end of the range. Where counts of batches are no longer kept the readings tell their own.
-- reading_age_s | number | s | 最新读数龄 Newest reading
-- tick_age_s | number | s | 最新研判龄 Newest judgement
-- batch_age_s | number | s | 最新入库龄 Newest batch
select
    extract(epoch from to_timestamp($__unixEpochTo()) - coalesce(
        (select max(observed_to) from grafana.batch
            where at <= to_timestamp($__unixEpochTo()) and observed_to <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 900)),
        (select max(observed_to) from grafana.batch
            where at <= to_timestamp($__unixEpochTo()) and observed_to <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 86400)),
        (select max(o.observed_at) from grafana.known_sensor n cross join lateral (
            select observed_at from grafana.observation
            where sensor_id = n.sensor_id and observed_at > to_timestamp($__unixEpochTo() - 86400) and observed_at <= to_timestamp($__unixEpochTo())
            order by observed_at desc limit 1
        ) o where to_timestamp($__unixEpochTo()) < (select min(at) from grafana.batch))
    ))::float8 as reading_age_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - (select max(tick_at) from grafana.tick
        where tick_at <= to_timestamp($__unixEpochTo()) and tick_at > to_timestamp($__unixEpochTo() - 86400)))::float8 as tick_age_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - (select max(at) from grafana.batch
        where at <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 86400)))::float8 as batch_age_s;
