-- How far rows went is written down: a refresh that reaches behind it would compute rollups anew from nothing.

alter table retention_class add column dropped_to timestamptz;
comment on column retention_class.dropped_to is 'Up to where rows were ever dropped, whatever is kept today; null: nothing was.';

-- What was dropped before this column was there: up to the oldest step that no hold keeps, if a rollup goes further back.
do $$
declare
    source record;
    mark timestamptz;
    is_further_back boolean;
begin
    if not exists (select from pg_extension where extname = 'timescaledb') or to_regprocedure('undercroft_held(timestamptz, timestamptz)') is null
        or to_regclass('public.rollup_1d') is null or not exists (select from deployment where mode = 'live') then
        return;
    end if;
    for source in
        select relation, coalesce(rollup.materialization_hypertable_name, relation) as hypertable
        from retention_class class
        left join timescaledb_information.continuous_aggregates rollup
            on rollup.view_schema = 'public' and rollup.view_name = class.relation
        where relation in ('observation_packed', 'rollup_1m', 'rollup_10m', 'rollup_1h')
    loop
        select coalesce(min(range_start), now()) into mark from timescaledb_information.chunks
        where hypertable_name = source.hypertable and not undercroft_held(range_start, range_end);
        execute 'select exists (select from rollup_1d where bucket < $1 - interval ''1 day'')' into is_further_back using mark;
        if is_further_back then
            update retention_class set dropped_to = mark where relation = source.relation;
        end if;
    end loop;
end
$$;
