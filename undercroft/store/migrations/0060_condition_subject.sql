-- A condition has a subject: the system, or a device.

alter table system_condition add column subject text not null default 'system' check (subject = 'system' or subject like 'device/_%');
alter table system_condition drop constraint system_condition_pkey;
alter table system_condition add primary key (subject, name);
comment on column system_condition.subject is 'system, or device/ and the device''s id; an act names it before the condition.';
