-- Reports are drafted and operators made over the network: what was handed in stays as it was, and no login makes an
-- operator by itself: it takes an admin's token.

create function refuse_change_of_report() returns trigger language plpgsql as $$
begin
    raise exception 'report % of % was handed in', old.serial, old.incident_id using errcode = 'insufficient_privilege';
end
$$;
create trigger report_handed_in_stays before update on report
    for each row when (old.submitted_at is not null) execute function refuse_change_of_report();

create function admin_of_token(token text) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (
        select from operator
        where token_sha256 = sha256(convert_to(token, 'UTF8')) and role = 'admin' and disabled_at is null
    )
$$;

create function admin_makes_operator(token text, id text, called text, rights text, hashed bytea, at timestamptz)
    returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not admin_of_token(token) then
        raise exception 'an operator is made by an admin' using errcode = 'insufficient_privilege';
    end if;
    insert into operator (operator_id, name, role, token_sha256, created_at) values (id, called, rights, hashed, at)
    on conflict (operator_id) do update set
        name = excluded.name, role = excluded.role, token_sha256 = excluded.token_sha256, disabled_at = null;
end
$$;

create function admin_disables_operator(token text, id text, at timestamptz)
    returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not admin_of_token(token) then
        raise exception 'an operator is disabled by an admin' using errcode = 'insufficient_privilege';
    end if;
    update operator set disabled_at = at where operator_id = id and disabled_at is null;
    return found;
end
$$;

revoke all on function admin_of_token, admin_makes_operator, admin_disables_operator from public;
