revoke all on all tables in schema public from undercroft_grafana;
grant usage on schema grafana to undercroft_grafana;
grant select on all tables in schema grafana to undercroft_grafana;
grant execute on all functions in schema grafana to undercroft_grafana;
