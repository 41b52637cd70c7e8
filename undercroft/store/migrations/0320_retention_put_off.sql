-- Retention waits for nobody: what somebody reads just then stays until its next run, and is counted.

alter table retention_class add column put_off integer not null default 0;
comment on column retention_class.put_off is 'Steps that the last run of retention left, for somebody read them (a backup, a long query).';
