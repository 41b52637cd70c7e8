-- Site data: one statement per table, rows as arrays (UNNEST), so that an import is a dozen round trips.

-- name: lock_site_import
select pg_advisory_xact_lock(1936291941); -- "site": one import at a time

-- name: newest_site_version
select commit_seq, sha256, document from site_version order by commit_seq desc limit 1;

-- name: site_version_at
select commit_seq, sha256, document from site_version
where commit_seq <= %(commit_seq)s order by commit_seq desc limit 1;

-- name: insert_site_version
insert into site_version (commit_seq, sha256, author, imported_at, document)
values (%(commit_seq)s, %(sha256)s, %(author)s, %(imported_at)s, %(document)s::jsonb);

-- name: upsert_basins
insert into basin (basin_id, name_zh, name_en)
select * from unnest(%(basin_id)s::text[], %(name_zh)s::text[], %(name_en)s::text[])
on conflict (basin_id) do update set name_zh = excluded.name_zh, name_en = excluded.name_en, retired_at = null;

-- name: retire_basins
update basin set retired_at = %(retired_at)s
where retired_at is null and basin_id <> all(%(kept)s::text[]);

-- name: upsert_places
insert into place (place_id, place_kind, name_zh, name_en, street, basin_id, lat, lon)
select * from unnest(
    %(place_id)s::text[], %(place_kind)s::text[], %(name_zh)s::text[], %(name_en)s::text[], %(street)s::text[],
    %(basin_id)s::text[], %(lat)s::double precision[], %(lon)s::double precision[])
on conflict (place_id) do update set
    place_kind = excluded.place_kind, name_zh = excluded.name_zh, name_en = excluded.name_en,
    street = excluded.street, basin_id = excluded.basin_id, lat = excluded.lat, lon = excluded.lon,
    retired_at = null;

-- name: retire_places
update place set retired_at = %(retired_at)s
where retired_at is null and place_id <> all(%(kept)s::text[]);

-- name: upsert_spaces
insert into space (space_id, kind, floor_level_m, ceiling_height_m, detail)
select * from unnest(
    %(space_id)s::text[], %(kind)s::text[], %(floor_level_m)s::double precision[],
    %(ceiling_height_m)s::double precision[], %(detail)s::jsonb[])
on conflict (space_id) do update set
    kind = excluded.kind, floor_level_m = excluded.floor_level_m,
    ceiling_height_m = excluded.ceiling_height_m, detail = excluded.detail;

-- name: upsert_entrances
insert into entrance (
    space_id, entrance_id, name_zh, name_en, width_m, crest_level_m, roadway_level_m, barrier_needed,
    barrier_height_m, barrier_leakage_grade, barrier_deploy_min)
select * from unnest(
    %(space_id)s::text[], %(entrance_id)s::text[], %(name_zh)s::text[], %(name_en)s::text[],
    %(width_m)s::double precision[], %(crest_level_m)s::double precision[], %(roadway_level_m)s::double precision[],
    %(barrier_needed)s::boolean[], %(barrier_height_m)s::double precision[], %(barrier_leakage_grade)s::text[],
    %(barrier_deploy_min)s::double precision[])
on conflict (space_id, entrance_id) do update set
    name_zh = excluded.name_zh, name_en = excluded.name_en, width_m = excluded.width_m,
    crest_level_m = excluded.crest_level_m, roadway_level_m = excluded.roadway_level_m,
    barrier_needed = excluded.barrier_needed, barrier_height_m = excluded.barrier_height_m,
    barrier_leakage_grade = excluded.barrier_leakage_grade, barrier_deploy_min = excluded.barrier_deploy_min,
    retired_at = null;

-- name: retire_entrances
update entrance set retired_at = %(retired_at)s
where retired_at is null
  and not exists (
    select from unnest(%(space_id)s::text[], %(entrance_id)s::text[]) as kept (space_id, entrance_id)
    where kept.space_id = entrance.space_id and kept.entrance_id = entrance.entrance_id);

-- name: upsert_devices
insert into device (device_id, place_id, interval_dry_s, interval_wet_s)
select * from unnest(
    %(device_id)s::text[], %(place_id)s::text[], %(interval_dry_s)s::double precision[],
    %(interval_wet_s)s::double precision[])
on conflict (device_id) do update set
    place_id = excluded.place_id, interval_dry_s = excluded.interval_dry_s,
    interval_wet_s = excluded.interval_wet_s, retired_at = null;

-- name: retire_devices
update device set retired_at = %(retired_at)s
where retired_at is null and device_id <> all(%(kept)s::text[]);

-- name: leave_places
-- Before the sensors are updated: where those stood that move or go. `until_seq` is -1 until the import has its number.
insert into sensor_past_place (sensor_id, until_seq, since_seq, place_id, entrance_id, zero_level_m)
select sensor.sensor_id, -1, (select max(p.until_seq) from sensor_past_place p where p.sensor_id = sensor.sensor_id),
    sensor.place_id, sensor.entrance_id, sensor.zero_level_m
from sensor
left join unnest(
    %(device_id)s::text[], %(at)s::text[], %(quantity)s::text[], %(place_id)s::text[], %(entrance_id)s::text[])
    as new (device_id, at, quantity, place_id, entrance_id)
    on sensor.device_id = new.device_id and sensor.at = new.at and sensor.quantity = new.quantity
where sensor.retired_at is null and (new.place_id is distinct from sensor.place_id or new.entrance_id is distinct from sensor.entrance_id);

-- name: number_left_places
update sensor_past_place set until_seq = %(commit_seq)s where until_seq = -1;

-- name: update_sensors
-- Known sensors keep their id. Not an upsert: that would use up a number of the identity for every known row. One that moves has
-- `placed_seq` -1 until the import has its number; whether a device is online goes with it, and rain is said of a basin.
update sensor set
    placed_seq = case
        when sensor.place_id = new.place_id and sensor.entrance_id is not distinct from new.entrance_id then placed_seq
        when new.quantity = 'online' or new.quantity like 'rain\_%%' then placed_seq
        else -1
    end,
    unit = new.unit, place_id = new.place_id, entrance_id = new.entrance_id, zero_level_m = new.zero_level_m,
    retired_at = null
from unnest(
    %(device_id)s::text[], %(at)s::text[], %(quantity)s::text[], %(unit)s::text[], %(place_id)s::text[],
    %(entrance_id)s::text[], %(zero_level_m)s::double precision[])
    as new (device_id, at, quantity, unit, place_id, entrance_id, zero_level_m)
where sensor.device_id = new.device_id and sensor.at = new.at and sensor.quantity = new.quantity;

-- name: insert_sensors
insert into sensor (device_id, at, quantity, unit, place_id, entrance_id, zero_level_m)
select new.device_id, new.at, new.quantity, new.unit, new.place_id, new.entrance_id, new.zero_level_m
from unnest(
    %(device_id)s::text[], %(at)s::text[], %(quantity)s::text[], %(unit)s::text[], %(place_id)s::text[],
    %(entrance_id)s::text[], %(zero_level_m)s::double precision[])
    with ordinality as new (device_id, at, quantity, unit, place_id, entrance_id, zero_level_m, row_no)
where not exists (
    select from sensor
    where sensor.device_id = new.device_id and sensor.at = new.at and sensor.quantity = new.quantity)
order by new.row_no;

-- name: place_sensors
update sensor set placed_seq = %(commit_seq)s where placed_seq = -1;

-- name: retire_sensors
update sensor set retired_at = %(retired_at)s
where retired_at is null
  and not exists (
    select from unnest(%(device_id)s::text[], %(at)s::text[], %(quantity)s::text[]) as kept (device_id, at, quantity)
    where kept.device_id = sensor.device_id and kept.at = sensor.at and kept.quantity = sensor.quantity);

-- name: insert_initial_stock
-- The file states what was there at the start; once a row exists, only movements change it.
insert into stock (place_id, item, quantity)
select * from unnest(%(place_id)s::text[], %(item)s::text[], %(quantity)s::double precision[])
on conflict (place_id, item) do nothing;

-- name: delete_requirements
delete from requirement;

-- name: insert_requirements
insert into requirement (space_id, entrance_id, item, quantity)
select * from unnest(
    %(space_id)s::text[], %(entrance_id)s::text[], %(item)s::text[], %(quantity)s::double precision[]);

-- name: insert_threshold_sets
insert into threshold_set (threshold_set_id, commit_seq, author, source, valid_from)
select new.threshold_set_id, %(commit_seq)s, new.author, new.source, new.valid_from
from unnest(
    %(threshold_set_id)s::text[], %(author)s::text[], %(source)s::text[], %(valid_from)s::timestamptz[])
    as new (threshold_set_id, author, source, valid_from);

-- name: insert_thresholds
insert into threshold (threshold_set_id, commit_seq, rule, kind, space_id, severity, value, unit, source)
select new.threshold_set_id, %(commit_seq)s, new.rule, new.kind, new.space_id, new.severity, new.value, new.unit,
    new.source
from unnest(
    %(threshold_set_id)s::text[], %(rule)s::text[], %(kind)s::text[], %(space_id)s::text[], %(severity)s::smallint[],
    %(value)s::double precision[], %(unit)s::text[], %(source)s::text[])
    as new (threshold_set_id, rule, kind, space_id, severity, value, unit, source);

-- name: sensors
select sensor_id, device_id, at, quantity, place_id, entrance_id, zero_level_m, unit
from sensor where retired_at is null order by sensor_id;

-- name: site_timezone
-- The district's time zone, null before the first site.
select document -> 'district' ->> 'timezone' as timezone from site_version order by commit_seq desc limit 1;

-- name: standing_alarms
select subject, severity from alarm where active order by subject;

-- name: standing_evidence
-- The newest assessment of each space.
select s.space_id, a.evidence
from unnest(%(spaces)s::text[]) s (space_id)
cross join lateral (
    select evidence from assessment where assessment.space_id = s.space_id order by tick_seq desc limit 1
) a;

-- name: standing_reports
select subject, author, acted_at, body from act
where kind = 'field_report' and acted_at > %(since)s order by commit_seq;

-- name: standing_warnings
select subject, body from (
    select distinct on (subject) subject, body from act where kind = 'rain_warning' order by subject, commit_seq desc
) newest where coalesce(body ->> 'state', 'in_force') <> 'ended' order by subject;

-- name: audit_site_import
insert into audit (at, operator_id, origin, action, subject, outcome, detail)
values (%(at)s, %(author)s, 'cli', 'site_import', 'site', 'done', %(detail)s::jsonb);
