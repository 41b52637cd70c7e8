-- Conflicting values, flags set after the reading and readings of lost clocks belong to readings, and go when those go. They
-- had no class and were kept for ever, so that one device with a wrong clock or number could fill the disk.

insert into retention_class (relation, time_column, data_class, keep, step)
select name, its_time, 'raw', keep, interval '1 day'
from retention_class cross join (values ('observation_conflict', 'observed_at'), ('quality_flag', 'observed_to'), ('clock_lost_reading', 'observed_at'))
    as left_by (name, its_time)
where relation = 'observation_packed';
