-- What is kept for less than this is gone before anybody has looked: rollups of readings need a week, and a negative time
-- drops all there is. Who had less keeps a week.
do $$
begin
    if exists (select from retention_class where keep < interval '7 days') then -- its trigger moves jobs
        update retention_class set keep = interval '7 days' where keep < interval '7 days';
    end if;
end
$$;
alter table retention_class add constraint kept_for_7_days_at_least check (keep >= interval '7 days');
