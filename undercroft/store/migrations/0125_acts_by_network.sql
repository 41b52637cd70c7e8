-- Acts that come over the network: each is done once, however often it is sent, by a login of their own.

create table act_key (
    operator_id text not null references operator,
    key text not null check (length(key) between 1 and 200),
    sha256 bytea not null,
    at timestamptz not null,
    act_id uuid,
    answer jsonb,
    primary key (operator_id, key)
);
comment on table act_key is 'Idempotency keys: what became of the act that came with one, answered again when it is sent again.';

create index audit_authorise on audit (at) where action = 'authorise';

do $$
begin
    if not exists (select from pg_roles where rolname = 'undercroft_acts') then
        begin
            create role undercroft_acts nologin;
        exception
            when insufficient_privilege then
                raise notice 'role undercroft_acts is not made: no permission';
            when duplicate_object or unique_violation then
                null; -- another database of this server was faster
        end;
    end if;
end
$$;
