-- One rule for what everybody may execute: what only reads. Whatever else is open to all after `create function` or
-- `create extension` is listed here, taken from all by `roles.sql`, looked for by the doctor.
create function undercroft_guarded_functions() returns setof regprocedure language sql stable as $$
    select p.oid::regprocedure
    from pg_proc p
    left join pg_depend d on d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
    left join pg_extension e on e.oid = d.refobjid
    where case
        when p.pronamespace = 'pg_catalog'::regnamespace then
            p.proname ~ '^(pg_(try_)?advisory_|lo_)' or p.proname in ('loread', 'lowrite', 'pg_logical_emit_message')
        when e.extname = 'timescaledb' then p.provolatile = 'v'
        when e.extname is null and p.pronamespace = 'public'::regnamespace then p.provolatile = 'v' or p.prosecdef
        else false
    end
$$;
comment on function undercroft_guarded_functions is 'What not everybody may execute: locks, large objects, what TimescaleDB and we have that writes or runs as its owner.';
