-- The steps of a plain table. Rollups are views here: they hold nothing of their own, and go with the readings.

create or replace function undercroft_old_steps(class retention_class, at timestamptz)
returns table (step_from timestamptz, step_to timestamptz)
language plpgsql stable as $$
begin
    if class.data_class = 'rollup' then
        return;
    end if;
    return query execute format(
        'select bin, bin + $1 from (
             select distinct date_bin($1, %1$I, timestamptz ''epoch'') as bin from %2$I where %1$I < $2
         ) as steps
         where bin + $1 <= $2 and not undercroft_held(bin, bin + $1, $3) order by bin',
        class.time_column, class.relation) using class.step, at - class.keep, at;
end
$$;

create or replace function undercroft_drop_step(class retention_class, step_from timestamptz, step_to timestamptz)
returns void language plpgsql as $$
begin
    execute format('delete from %I where %2$I >= $1 and %2$I < $2', class.relation, class.time_column)
        using step_from, step_to;
end
$$;
