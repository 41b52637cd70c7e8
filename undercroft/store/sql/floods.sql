-- Libraries of past floods: what the engine foresees from.

-- name: flood_library_lock
lock table flood_library in share row exclusive mode;

-- name: flood_library_insert
insert into flood_library (version, built_at, built_from, built_until, engine_version, author, source, sensors, floods,
    sha256, document)
select coalesce(max(version), 0) + 1, %(built_at)s, %(built_from)s, %(built_until)s, %(engine_version)s, %(author)s,
    %(source)s, %(sensors)s, %(floods)s, %(sha256)s, %(document)s
from flood_library
returning version;

-- name: flood_library_document
select version, sha256, document from flood_library where version = %(version)s;

-- name: flood_libraries
-- In force is what the newest act says, whether or not a tick has covered it yet.
select l.version, l.built_at, l.built_from, l.built_until, l.engine_version, l.author, l.source, l.sensors, l.floods,
    l.sha256, coalesce((newest.body ->> 'version')::int = l.version, false) as in_force,
    case when (newest.body ->> 'version')::int = l.version then newest.acted_at end as in_force_since
from flood_library l
left join lateral (
    select body, acted_at from act where kind = 'flood_library' order by commit_seq desc limit 1) newest on true
order by l.version desc;

-- name: flood_good_readings
-- Good readings of one sensor in order of time, for the floods in them.
select (extract(epoch from observed_at) * 1000000)::bigint as observed_us, value
from observation
where sensor_id = %(sensor_id)s and quality = 1 and observed_at >= %(start)s and observed_at <= %(until)s
order by observed_at;
