-- A dead letter is found by the device that it is of, also where the payload alone names it, or the site has no such device.
alter table dead_letter add column named_devices text[] not null default '{}';
comment on column dead_letter.named_devices is
    'Devices that topic or payload name; device_id is the one of the site file whose cap it counts under.';
