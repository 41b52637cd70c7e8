#!/bin/sh
# Run once, when the database is made: a login per service, each with the rights of its group role only.
# Passwords are read by psql from the secrets' files, so that they stand in no process list and in no log.
set -eu
secrets="${UNDERCROFT_SECRETS_DIR:-/run/secrets}"
psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -v database="$POSTGRES_DB" \
    -v secrets="$secrets" <<'SQL'
create extension if not exists timescaledb;
SQL
for part in ingest engine duty api acts grafana; do
    case $part in
        grafana) file=grafana_db_password ;;
        *) file=${part}_password ;;
    esac
    psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
        -v group="undercroft_$part" -v login="$part" -v database="$POSTGRES_DB" -v file="$secrets/$file" <<'SQL'
\set password `cat :'file'`
set log_statement = 'none';
select format('create role %I nologin', :'group') where not exists (select from pg_roles where rolname = :'group') \gexec
select format('create role %I login', :'login') where not exists (select from pg_roles where rolname = :'login') \gexec
alter role :"login" password :'password';
grant :"group" to :"login";
revoke all on database :"database" from public;
grant connect on database :"database" to :"login";
SQL
done
psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
alter role grafana set default_transaction_read_only = on;
alter role grafana set statement_timeout = '30s';
alter role grafana set jit = off;
alter role grafana connection limit 20;
-- Everybody may enter these two by default, and fill the disk there.
revoke all on database postgres, template1 from public;
SQL
