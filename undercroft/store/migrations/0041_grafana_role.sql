-- Grafana reads views only. The login comes from the deployment; a managed database may not let us make the role.

do $$
begin
    if not exists (select from pg_roles where rolname = 'undercroft_grafana') then
        begin
            create role undercroft_grafana nologin;
        exception
            when insufficient_privilege then
                raise notice 'role undercroft_grafana is not made: no permission';
            when duplicate_object or unique_violation then
                null; -- another database of this server was faster
        end;
    end if;
end
$$;
