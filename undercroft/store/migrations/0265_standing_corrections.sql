-- What people look at uses the flag that stands now: of each sensor the corrections that nobody took back are found at once.

create index quality_flag_standing on quality_flag (sensor_id, observed_to) where act_id is not null and undone_by is null;
