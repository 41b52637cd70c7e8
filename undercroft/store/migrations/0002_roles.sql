-- Group roles without login; `roles.py` grants each exactly what it needs. Managed databases may not let us make roles:
-- then everything runs as the one user of the URL.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['undercroft_ingest', 'undercroft_engine', 'undercroft_api', 'undercroft_simulator']
    loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception
                when insufficient_privilege then
                    raise notice 'role % is not made: no permission', role_name;
                when duplicate_object or unique_violation then
                    null; -- another database of this server was faster
            end;
        end if;
    end loop;
end
$$;
