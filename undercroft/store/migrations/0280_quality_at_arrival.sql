-- What a later sample showed is counted in the panel of flags, which has to take the reading out of what it came as.

alter table quality_flag add column quality_at_arrival smallint;
comment on column quality_flag.quality_at_arrival is 'Of a flag by a later sample: the flag that its reading was stored with; null of a person''s.';

update quality_flag f set quality_at_arrival = (
    select o.quality from observation o where o.sensor_id = f.sensor_id and o.observed_at = f.observed_from)
where act_id is null;

create index quality_flag_later on quality_flag (observed_from) where act_id is null;
