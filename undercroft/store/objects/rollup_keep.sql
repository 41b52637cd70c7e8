-- Before rollups are dropped, to be made anew: buckets that nothing could compute again are put aside, in tables kept_... .
-- Three days more than refresh leaves alone are taken, so that the first refresh leaves no gap. In an exercise every
-- reading is still there. A schema older than undercroft_refresh_from knew the age of readings only.

do $$
declare
    knows_from constant boolean := to_regprocedure('undercroft_refresh_from(text, timestamptz)') is not null;
    horizon timestamptz;
    level record;
begin
    if not exists (select from pg_extension where extname = 'timescaledb') or to_regclass('public.retention_class') is null then
        return;
    end if;
    for level in
        select view_name as name, materialization_hypertable_schema as schema, materialization_hypertable_name as stored
        from timescaledb_information.continuous_aggregates
        where view_schema = 'public' and view_name in ('rollup_1m', 'rollup_10m', 'rollup_1h', 'rollup_1d')
    loop
        if knows_from then
            execute 'select undercroft_refresh_from($1, now())' into horizon using level.name;
        else
            select now() - class.keep + 2 * class.step into horizon
            from retention_class class, deployment d where class.data_class = 'raw' and d.mode = 'live';
        end if;
        continue when horizon is null;
        if to_regclass(format('public.kept_%s', level.name)) is null then -- else of an upgrade that did not come to its end
            execute format('create table %I as select * from %I.%I where bucket < %L',
                'kept_' || level.name, level.schema, level.stored, horizon + interval '3 days');
        end if;
    end loop;
end
$$;
