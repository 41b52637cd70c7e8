-- The steps of a plain table. Rollups are views here: they hold nothing of their own, and go with the readings.

create or replace function undercroft_old_steps(class retention_class, at timestamptz)
returns table (step_from timestamptz, step_to timestamptz)
language plpgsql stable as $$
begin
    if class.data_class = 'rollup' then
        return;
    end if;
    return query select * from undercroft_table_steps(class, at);
end
$$;

create or replace function undercroft_drop_step(class retention_class, step_from timestamptz, step_to timestamptz)
returns void language plpgsql as $$
begin
    perform undercroft_delete_step(class, step_from, step_to);
end
$$;
