-- A version of the engine that finds the log of another one takes its alarms over, and begins with this snapshot.

alter table engine_snapshot add column taken_over_from text;
comment on column engine_snapshot.taken_over_from is
    'Version of the engine that wrote the log up to this tick, where another one went on from here; null: the same.';
