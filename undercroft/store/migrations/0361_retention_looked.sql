-- Retention is late when it did not look, or when what it left stays: not when somebody shortened a class, or stored what is older
-- than its class keeps, since its last run. The doctor told that as a fault of every service until the next hour.

alter table retention_class
    add column looked_at timestamptz not null default now(),
    add column behind_since timestamptz;
comment on column retention_class.looked_at is 'When retention looked at this relation last; at first, when the database was made or brought up to date.';
comment on column retention_class.behind_since is 'Since when each run of retention left steps; null: the last one left none.';
