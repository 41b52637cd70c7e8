-- The first compression of a chunk keeps writers out for as long as it takes: seconds, for a day of many sensors. Readings
-- wait for nobody's housekeeping, so ingest ends such a compression before it writes into its chunk; it is tried again later.

create function undercroft_make_way(days timestamptz[]) returns integer language plpgsql
    security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    chunk regclass;
    workers integer[];
    ended integer := 0;
begin
    if not exists (select from pg_extension where extname = 'timescaledb') then
        return 0;
    end if;
    for chunk in
        select format('%I.%I', chunk_schema, chunk_name)::regclass from timescaledb_information.chunks
        where hypertable_schema = 'public' and hypertable_name = 'observation_packed' and exists (
            select from unnest(days) as day where day < range_end and day + interval '1 day' > range_start)
        order by range_start
    loop
        for try in 1..250 loop
            begin
                execute format('lock table only %s in row exclusive mode nowait', chunk); -- kept until the rows are committed
                exit;
            exception
                when lock_not_available then
                    null;
            end;
            -- `undercroft_compress` has this lock of ours while it works; whoever else is in front is waited for, as ever.
            select array_agg(distinct held.pid order by held.pid) into workers
            from pg_locks job
            join pg_locks held on held.pid = job.pid and held.relation = chunk
                and held.mode in ('ExclusiveLock', 'AccessExclusiveLock')
            where job.locktype = 'advisory' and job.objsubid = 2
                and job.database = (select oid from pg_database where datname = current_database())
                and job.classid::bigint = hashtext('undercroft')::bigint & 4294967295
                and job.objid::bigint = hashtext('compress')::bigint & 4294967295;
            exit when workers is null;
            ended := greatest(ended, cardinality(workers));
            perform pg_cancel_backend(pid) from unnest(workers) as pid;
            perform pg_sleep(0.02);
        end loop;
    end loop;
    return ended;
exception
    when insufficient_privilege then -- a superuser's compression, by hand: that one is waited for
        return 0;
end
$$;
comment on function undercroft_make_way is 'End compressions of chunks of readings of these days (starts of UTC days), and let none begin before the caller''s commit; how many ended.';
