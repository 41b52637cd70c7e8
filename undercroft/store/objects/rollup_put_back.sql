-- What rollup_keep put aside goes back, as far as it is not there; a column that is new is null in it.

do $$
declare
    level record;
    columns text;
begin
    for level in
        select view_name as name, materialization_hypertable_schema as schema, materialization_hypertable_name as stored
        from timescaledb_information.continuous_aggregates
        where view_schema = 'public' and to_regclass(format('public.kept_%s', view_name)) is not null
    loop
        select string_agg(quote_ident(old.attname), ', ' order by old.attnum) into columns
        from pg_attribute old
        join pg_attribute new on new.attname = old.attname and new.attnum > 0 and not new.attisdropped
            and new.attrelid = format('%I.%I', level.schema, level.stored)::regclass
        where old.attrelid = format('public.%I', 'kept_' || level.name)::regclass and old.attnum > 0 and not old.attisdropped;
        execute format('insert into %1$I.%2$I (%3$s) select %3$s from %4$I kept where not exists ('
            'select from %1$I.%2$I known where known.sensor_id = kept.sensor_id and known.bucket = kept.bucket)',
            level.schema, level.stored, columns, 'kept_' || level.name);
        execute format('drop table %I', 'kept_' || level.name);
    end loop;
end
$$;
