-- Alarms that follow from another one.

alter table alarm add column suppressed_by text;
comment on column alarm.suppressed_by is 'The alarm that this one follows from: it is not told of. Never set on one of a space, or a red one.';
