-- Who is told and what was done. The alarm log itself is the outbox: duty follows it by tick and keeps its place here.

create table operator (
    operator_id text primary key check (operator_id ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    name text not null,
    role text not null check (role in ('officer', 'leader', 'admin')),
    token_sha256 bytea not null unique,
    created_at timestamptz not null,
    disabled_at timestamptz
);
comment on column operator.token_sha256 is 'Of 32 random bytes, so that a plain hash is enough.';

create table audit (
    audit_id bigint generated always as identity primary key,
    at timestamptz not null,
    operator_id text not null,
    origin text not null,
    action text not null,
    subject text not null,
    outcome text not null check (outcome in ('done', 'refused')),
    detail jsonb not null
);

create table roster_shift (
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    step smallint not null check (step between 0 and 9),
    standing text not null check (standing in ('holder', 'deputy')),
    person_id text not null,
    name text not null,
    phone text not null,
    reach jsonb not null,
    primary key (starts_at, step, standing)
);
create index roster_shift_end on roster_shift (ends_at);

create table roster_absence (
    person_id text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    author text not null,
    primary key (person_id, starts_at)
);

create table duty_progress (
    singleton boolean primary key default true check (singleton),
    tick_seq bigint not null,
    decided_at timestamptz,
    beat_at timestamptz
);
insert into duty_progress (tick_seq) values (0);
comment on column duty_progress.beat_at is 'The notifier lives; the dead-man reads it.';

create table incident (
    incident_id text primary key,
    basin_id text not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    worst smallint not null,
    state jsonb not null
);
create unique index incident_open on incident (basin_id) where closed_at is null;
comment on table incident is 'One per basin and storm. state: which alarms wait for a person and how far the telling has come.';

create table notification (
    notification_id bigint generated always as identity primary key,
    key text not null unique,
    cause text not null,
    incident_id text not null,
    reason text not null,
    step smallint not null,
    severity smallint not null,
    person_id text not null,
    channel text not null,
    address text not null,
    title text not null,
    body text not null,
    decided_at timestamptz not null,
    queued_at timestamptz not null default clock_timestamp(),
    state text not null check (state in ('queued', 'sending', 'accepted', 'handed_over', 'merged', 'held', 'failed')),
    merged_into bigint,
    attempts integer not null default 0,
    first_attempt_at timestamptz,
    settled_at timestamptz,
    receipt text,
    error text
);
create index notification_open on notification (channel, severity desc, notification_id) where state in ('queued', 'sending');
create index notification_cause on notification (cause);
create index notification_failed on notification (cause) where state = 'failed';
create index notification_incident on notification (incident_id);
create index notification_merged on notification (merged_into) where merged_into is not null;
comment on column notification.key is 'Sent with every attempt, so that who receives it twice can tell.';
comment on column notification.state is 'accepted: the service took it. handed_over: we cannot know. held: a drill that names no channel.';

create table duty_order (
    order_id text primary key,
    incident_id text not null,
    subject text not null,
    entrance text not null default '',
    proof text not null,
    state text not null,
    owner text not null,
    author text not null,
    changed_at timestamptz not null,
    due_at timestamptz,
    within_s double precision not null,
    text_zh text not null,
    text_en text not null,
    note text not null
);
create index duty_order_incident on duty_order (incident_id);

create table report (
    incident_id text not null,
    serial integer not null,
    kind text not null check (kind in ('first', 'follow_up', 'final')),
    drafted_at timestamptz not null,
    due_at timestamptz,
    covers_from timestamptz not null,
    text text not null,
    author text not null,
    submitted_at timestamptz,
    submitted_by text,
    primary key (incident_id, serial)
);

create table duty_log (
    entry_no bigint primary key,
    at timestamptz not null,
    kind text not null,
    author text not null,
    subject text not null,
    body jsonb not null,
    corrects bigint references duty_log,
    previous bytea not null,
    sha256 bytea not null
);
comment on table duty_log is 'Append-only; sha256 covers the entry and the hash of the one before.';

create table duty_log_head (
    entry_no bigint not null,
    sha256 bytea not null,
    signed_at timestamptz not null,
    occasion text not null,
    key_id text not null,
    signature bytea not null,
    primary key (entry_no, signed_at)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger duty_log_append_only before update or delete or truncate on duty_log
    for each statement execute function refuse_change();
create trigger duty_log_head_append_only before update or delete or truncate on duty_log_head
    for each statement execute function refuse_change();
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse_change();

do $$
begin
    if not exists (select from pg_roles where rolname = 'undercroft_duty') then
        begin
            create role undercroft_duty nologin;
        exception
            when insufficient_privilege then
                raise notice 'role undercroft_duty is not made: no permission';
            when duplicate_object or unique_violation then
                null; -- another database of this server was faster
        end;
    end if;
end
$$;
