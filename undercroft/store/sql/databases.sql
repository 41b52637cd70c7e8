-- Whole databases.

-- name: any_run_row
select 1 as found from batch union all select 1 from tick limit 1;

-- name: drop_everything
-- What an extension brought stays. A session that holds a table is an error after 5 s, not a wait without end.
set local lock_timeout = '5s';
do $$
declare
    command text;
begin
    for command in
        select format('drop %s if exists %I.%I cascade',
            case relation.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                else 'table' end,
            namespace.nspname, relation.relname)
        from pg_class relation
        join pg_namespace namespace on namespace.oid = relation.relnamespace
        where namespace.nspname = 'public'
            and relation.relkind in ('r', 'p', 'v', 'm', 'S')
            and not exists (select from pg_depend where objid = relation.oid and deptype = 'e')
        -- Tables first: what rests on them goes with them, a continuous aggregate cannot go otherwise.
        order by relation.relkind not in ('r', 'p'), relation.relkind = 'S', relation.oid
    loop
        execute command;
    end loop;
    for command in
        select format('drop routine if exists %s cascade', routine.oid::regprocedure)
        from pg_proc routine
        where routine.pronamespace = 'public'::regnamespace
            and not exists (select from pg_depend where objid = routine.oid and deptype = 'e')
    loop
        execute command;
    end loop;
end
$$;
