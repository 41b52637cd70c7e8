-- The steps of a hypertable are its chunks. Other tables lose rows by the same steps.

create or replace function undercroft_hypertable_of(relation text) returns name language sql stable as $$
    select hypertable_name from timescaledb_information.hypertables
    where hypertable_schema = 'public' and hypertable_name = relation
    union all
    select materialization_hypertable_name from timescaledb_information.continuous_aggregates
    where view_schema = 'public' and view_name = relation
$$;

create or replace function undercroft_old_steps(class retention_class, at timestamptz)
returns table (step_from timestamptz, step_to timestamptz)
language plpgsql stable as $$
declare
    hypertable constant name := undercroft_hypertable_of(class.relation);
begin
    if hypertable is not null then
        return query
            select chunk.range_start, chunk.range_end from timescaledb_information.chunks chunk
            where chunk.hypertable_name = hypertable and chunk.range_end <= at - class.keep
                and not undercroft_held(chunk.range_start, chunk.range_end, at)
            order by chunk.range_start;
    else
        return query select * from undercroft_table_steps(class, at);
    end if;
end
$$;

create or replace function undercroft_drop_step(class retention_class, step_from timestamptz, step_to timestamptz)
returns void language plpgsql as $$
begin
    if undercroft_hypertable_of(class.relation) is not null then
        perform drop_chunks(class.relation::regclass, older_than => step_to, newer_than => step_from);
    else
        perform undercroft_delete_step(class, step_from, step_to);
    end if;
end
$$;

create or replace procedure undercroft_retain_job(job_id integer, config jsonb) language plpgsql as $$
declare
    done jsonb := '[]';
begin
    call undercroft_retain(now(), done);
    perform undercroft_bound_refresh();
end
$$;
