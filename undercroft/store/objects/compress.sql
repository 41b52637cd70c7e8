-- Compression in jobs of our own: TimescaleDB's policy waits for ACCESS EXCLUSIVE, to empty a chunk and for the index of one
-- that late rows came into, behind whoever reads it (a backup for hours) and before everybody else, the engine too.
-- A reading that comes late for the chunk ends it (`undercroft_make_way`), or the readings of now would wait behind that one.

create or replace function undercroft_outdated(relation text) returns setof regclass language sql stable as $$
    select old.chunk from timescaledb_information.chunk_columnstore_settings old
    join timescaledb_information.hypertable_columnstore_settings now on now.hypertable = old.hypertable
    join timescaledb_information.chunks c on format('%I.%I', c.chunk_schema, c.chunk_name)::regclass = old.chunk
    where c.hypertable_name = undercroft_hypertable_of(relation)
        and (nullif(old.segmentby, ''), old.orderby) is distinct from (nullif(now.segmentby, ''), now.orderby)
    order by c.range_start desc
$$;
comment on function undercroft_outdated is 'Chunks compressed in a form that is no longer the relation''s; newest first.';

create or replace function undercroft_compress(chunk regclass) returns boolean language plpgsql
    set lock_timeout = '500ms' set timescaledb.compress_truncate_behaviour = 'truncate_or_delete' as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('undercroft'), hashtext('compress')); -- by it `undercroft_make_way` knows whom to end
    begin -- look first, or the work would be for nothing; to fail gives the lock back
        execute format('lock table %s in access exclusive mode', chunk);
        raise exception using errcode = 'UNFRE', message = 'free';
    exception
        when sqlstate 'UNFRE' then
            null;
    end;
    perform compress_chunk(chunk, if_not_compressed => true, recompress => true);
    return true;
exception
    when lock_not_available or query_canceled then
        return false;
end
$$;
comment on function undercroft_compress is 'Compress a chunk, or what came late into it, unless somebody reads it or wants to write into it; whether it was done.';

create or replace function undercroft_uncompressed(relation text, ended_by timestamptz) returns setof regclass language sql stable as $$
    select name from (
        select format('%I.%I', chunk_schema, chunk_name)::regclass as name, range_start from timescaledb_information.chunks
        where hypertable_name = undercroft_hypertable_of(relation) and range_end <= ended_by
    ) as chunks
    where _timescaledb_functions.chunk_status(name) & 11 <> 1
    order by range_start
$$;
comment on function undercroft_uncompressed is 'Chunks that are not compressed, or into which rows came since (bits 8, 2 of the status; 1: compressed); oldest first.';

-- Oldest first. Who reads one chunk reads most likely others: after three in vain the rest waits for the next run.
-- Of those in a form of before one a run, newest first: they are looked at most.
create or replace procedure undercroft_compress_job(job_id integer, config jsonb) language plpgsql as $$
declare
    chunk record;
    in_vain integer := 0;
begin
    for chunk in
        select name from undercroft_uncompressed(config ->> 'relation', now() - (config ->> 'compress_after')::interval) as name
    loop
        in_vain := in_vain + case when undercroft_compress(chunk.name) then 0 else 1 end;
        commit;
        exit when in_vain = 3;
    end loop;
    select name into chunk from undercroft_outdated(config ->> 'relation') as name limit 1;
    if found then
        perform undercroft_compress(chunk.name);
        commit;
    end if;
end
$$;
