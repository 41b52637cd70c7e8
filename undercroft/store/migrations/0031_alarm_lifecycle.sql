-- What people do to alarms, beside their severity.

alter table alarm add column shelved_until timestamptz;
comment on column alarm.shelved_until is 'Alerting is silent until then; the alarm goes on. Never set on a red one.';
