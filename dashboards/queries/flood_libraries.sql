-- Libraries of past floods that the engine may foresee from; the one in use first.
-- version | number |  | 版本 Version
-- in_force | flag |  | 在用 In use
-- floods | number |  | 积水次数 Floods
-- sensors | number |  | 传感器 Sensors
-- built_at | time |  | 建于 Built at
-- built_until | time |  | 数据截至 Readings until
-- age_s | number | s | 龄期 Age | plain
-- author | text |  | 建立者 Author
-- source | text |  | 来源 Source
select version, in_force, floods, sensors, built_at, built_until,
    extract(epoch from to_timestamp($__unixEpochTo()) - built_at)::float8 as age_s, author, source
from grafana.flood_library_at(to_timestamp($__unixEpochTo()))
order by in_force desc, version desc
limit 20;
