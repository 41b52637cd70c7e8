-- Plain tables become hypertables, rows and all; columnstore compression by sensor or space, and time.

select create_hypertable('observation', by_range('observed_at', interval '1 day'),
    create_default_indexes => false, migrate_data => true);
select create_hypertable('tick', by_range('tick_at', interval '7 days'),
    create_default_indexes => false, migrate_data => true);
select create_hypertable('assessment', by_range('tick_at', interval '7 days'),
    create_default_indexes => false, migrate_data => true);

alter table observation set (timescaledb.compress, timescaledb.compress_segmentby = 'sensor_id',
    timescaledb.compress_orderby = 'observed_at');
alter table tick set (timescaledb.compress, timescaledb.compress_segmentby = '',
    timescaledb.compress_orderby = 'tick_at, tick_seq');
alter table assessment set (timescaledb.compress, timescaledb.compress_segmentby = 'space_id',
    timescaledb.compress_orderby = 'tick_at, tick_seq');
