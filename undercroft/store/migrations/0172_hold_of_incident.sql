-- A hold may be an incident's: without an end of its own it ends a day after the incident.
alter table incident_hold add column incident_id text references incident;
create index incident_hold_incident on incident_hold (incident_id);
comment on column incident_hold.incident_id is 'The incident whose data it holds; null: only a stretch of time.';
