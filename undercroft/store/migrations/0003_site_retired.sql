-- Entrances and basins that vanish from the site file are retired like places, never deleted: history names them.

alter table basin add column retired_at timestamptz;
alter table entrance add column retired_at timestamptz;
