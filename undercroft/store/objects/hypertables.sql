-- Plain tables become hypertables, rows and all; columnstore compression by sensor or space, and time.
-- A table that is one already is left alone: a migration may have made one of them anew.

do $$
declare
    made record;
begin
    for made in
        select * from (values
            ('observation_packed', 'observed_at', interval '1 day', 'sensor_id', 'observed_at'),
            ('tick', 'tick_at', interval '7 days', '', 'tick_at, tick_seq'),
            ('assessment', 'tick_at', interval '1 day', 'space_id', 'tick_at, tick_seq')
        ) as t (name, time_column, chunk, segment_by, order_by)
        where name not in (
            select hypertable_name from timescaledb_information.hypertables where hypertable_schema = 'public')
    loop
        perform create_hypertable(made.name::regclass, by_range(made.time_column, made.chunk),
            create_default_indexes => false, migrate_data => true);
        execute format('alter table %I set (timescaledb.compress, timescaledb.compress_segmentby = %L,'
            ' timescaledb.compress_orderby = %L)', made.name, made.segment_by, made.order_by);
    end loop;
    -- A batch is found in compressed chunks by its span of numbers. From 2.22 the default would be a bloom filter, which
    -- takes more room than the column itself (1.3 of 17 bytes a reading, measured).
    if (select string_to_array(split_part(extversion, '-', 1), '.')::int[] >= array[2, 22]
        from pg_extension where extname = 'timescaledb') then
        alter table observation_packed set (timescaledb.sparse_index = 'minmax(batch_id)');
    end if;
end
$$;
