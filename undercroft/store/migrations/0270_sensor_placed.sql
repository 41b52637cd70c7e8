-- Since which import a sensor stands where it stands: what it said before was said of another place.

alter table sensor add column placed_seq bigint not null default 0;
comment on column sensor.placed_seq is 'Commit number of the import that moved it to where it stands; 0: none did, as far as is known.';
