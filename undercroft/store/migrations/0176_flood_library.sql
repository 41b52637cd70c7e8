-- Floods of the past are a versioned input of the engine, as sites and threshold sets are. An act of kind `flood_library`
-- takes a version into use, at its place in the commit order; a tick tells which one was in force.

create table flood_library (
    version integer primary key,
    built_at timestamptz not null,
    built_from timestamptz,
    built_until timestamptz,
    engine_version text not null,
    author text not null,
    source text not null,
    sensors integer not null check (sensors >= 0),
    floods integer not null check (floods >= 0),
    sha256 text not null,
    document text not null
);
comment on table flood_library is 'Libraries of past floods, whole; kept for ever, since the tick log names them.';
comment on column flood_library.document is 'Canonical JSON: sensors [key, x_km, y_km, tidal], floods [key, started_us, time_s, depth_mm].';

alter table tick add column flood_library integer;
comment on column tick.flood_library is 'Version of the library of past floods in force at this tick; null for none.';

create index act_flood_library on act (commit_seq desc) where kind = 'flood_library';
