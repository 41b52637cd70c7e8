-- Who may do what. `grant_exactly` runs after every migration; a new table gets its line here.

-- name: group_roles
select rolname from pg_roles where rolname = any(%(names)s);

-- name: revoke_public
-- What `undercroft_guarded_functions` names is nobody's unless granted below; a restore forgets that a migration took it
-- away. Here what this user owns, which need not be a superuser's.
do $$
declare
    guarded regprocedure;
begin
    for guarded in
        select p.oid from undercroft_guarded_functions() g join pg_proc p on p.oid = g
        where pg_has_role(p.proowner, 'usage')
    loop
        execute format('revoke all on routine %s from public', guarded);
    end loop;
end
$$;

-- name: grant_exactly
revoke all on all tables in schema public
    from undercroft_ingest, undercroft_engine, undercroft_api, undercroft_simulator,
    undercroft_duty, undercroft_acts;
revoke all on all sequences in schema public
    from undercroft_ingest, undercroft_engine, undercroft_api, undercroft_simulator,
    undercroft_duty, undercroft_acts;
grant usage on schema public to undercroft_ingest, undercroft_engine, undercroft_api, undercroft_simulator,
    undercroft_duty, undercroft_acts;

-- Every service asks the doctor whether the database is as it should be.
grant select on deployment, schema_migration
    to undercroft_ingest, undercroft_engine, undercroft_api, undercroft_duty, undercroft_acts;
grant execute on function undercroft_overdue, undercroft_refresh_from, undercroft_put_off, undercroft_long_holds
    to undercroft_ingest, undercroft_engine, undercroft_api, undercroft_duty, undercroft_acts;

-- Readings: written by ingest only.
grant select on basin, place, space, entrance, device, sensor, site_version to undercroft_ingest;
grant select, update on commit_counter to undercroft_ingest;
grant usage on sequence batch_id_seq to undercroft_ingest;
grant select, insert on batch, observation_packed, observation_conflict, clock_lost_reading to undercroft_ingest;
grant update on clock_lost_reading to undercroft_ingest;
grant select, insert, update on past_repeat to undercroft_ingest;
grant select on observation to undercroft_ingest;
grant select, insert, update on dead_letter to undercroft_ingest;
grant select, insert, update, delete on dead_letter_held to undercroft_ingest; -- update: to pass over what another folds
grant select, insert on quality_flag to undercroft_ingest;
grant select, insert, update on ingest_slot, ingest_session, dead_letter_overflow, system_condition to undercroft_ingest;
grant select, insert, update, delete on device_state_delivery, ingest_subscription, message_receipt to undercroft_ingest;
grant insert on act to undercroft_ingest;
-- A late reading waits for no compression, or those of now would wait behind it.
grant execute on function undercroft_make_way to undercroft_ingest;
-- The canary, which speaks with ingest's rights, sees when a tick covered its reading.
grant select on tick to undercroft_ingest;

-- The engine reads what is committed and writes what it concludes.
grant select on commit_counter, site_version, basin, place, space, entrance, device, sensor,
    threshold_set, threshold, stock, requirement, act, batch, observation, observation_conflict, dead_letter,
    flood_library
    to undercroft_engine;
grant select, insert on tick, assessment, alarm_event to undercroft_engine;
grant select, insert, update on alarm to undercroft_engine;
grant select, insert, delete on engine_snapshot to undercroft_engine;

-- The API shows; what people do over HTTP it passes on by the login of undercroft_acts.
grant select on commit_counter, site_version, basin, place, space, entrance, device, sensor,
    threshold_set, threshold, stock, stock_movement, requirement, act, batch, observation, observation_conflict, dead_letter,
    clock_lost_reading, quality_flag, observation_flagged, sensor_stay, ingest_slot, dead_letter_overflow, dead_letter_held, system_condition, tick, assessment, alarm, alarm_event, retention_class, incident_hold,
    engine_snapshot, flood_library
    to undercroft_api;

grant select on roster_shift, roster_absence, duty_progress, incident, incident_event, notification, duty_order, report, report_due, cap_message,
    duty_log, duty_log_head to undercroft_api;

-- A simulator speaks MQTT; it may only see that this is no live system, and how far the engine has come.
grant select on deployment, tick to undercroft_simulator;

-- The notifier reads the alarm log and writes messages; the dead-man reads how far everybody has come.
grant select on site_version, basin, place, space, device, batch, tick, alarm, alarm_event, roster_shift,
    roster_absence, duty_progress, incident, incident_event, notification, duty_order, report to undercroft_duty;
grant update on duty_progress to undercroft_duty;
grant select, insert, update, delete on report_due to undercroft_duty;
grant insert, update on incident, notification to undercroft_duty;
-- A gap in the roster is a condition of the system.
grant select, insert, update on system_condition to undercroft_duty;

-- People's acts, through the same role; what they said is never changed.
grant select on operator, audit, act, commit_counter, entrance, sensor, observation, duty_log, duty_log_head, stock to undercroft_duty;
grant insert on act, audit, duty_log, duty_log_head, duty_order, report, roster_absence, roster_shift to undercroft_duty;
grant update on commit_counter, duty_order, report, roster_absence to undercroft_duty;
grant delete on roster_shift to undercroft_duty;

-- The same acts over HTTP, and nothing else: no message is written, and nothing said is changed. A report is drafted from
-- the logs of the incident, until it is handed in; an operator is made and disabled with an admin's token only.
grant select on site_version, tick, basin, place, space, entrance, device, sensor, observation, act, alarm, incident,
    operator, commit_counter, duty_order, report, act_key, stock to undercroft_acts;
grant insert, update on stock to undercroft_acts;
-- By whose time an order's clock runs.
grant select on duty_progress to undercroft_acts;
-- What Grafana's rules say comes by the same way.
grant select, insert, update on system_condition to undercroft_acts;
grant select on duty_log, duty_log_head, alarm_event, incident_event to undercroft_acts;
grant select (notification_id, incident_id, reason, decided_at, person_id, title) on notification to undercroft_acts;
grant select (at, action) on audit to undercroft_acts;
grant insert on act, audit, duty_log, duty_order, act_key to undercroft_acts;
grant update on commit_counter, duty_order, act_key to undercroft_acts;
grant insert on report to undercroft_acts;
grant select, insert on cap_message to undercroft_acts, undercroft_duty;
grant update (drafted_at, text, author, submitted_at, submitted_by) on report to undercroft_acts;
grant execute on function admin_makes_operator, admin_disables_operator to undercroft_acts, undercroft_duty;
grant select, insert, delete on roster_shift to undercroft_acts;
grant select, insert, update on roster_absence to undercroft_acts;

-- The owner's alone: store_object; sensor_past_place and site_since, which are read through sensor_stay.

-- name: close_doors
-- PostgreSQL lets everybody take advisory locks, write large objects and write into the log of its changes, and TimescaleDB lets everybody make jobs:
-- in read-only transactions or by ending them, so whoever may query by Grafana could keep the engine from starting.
-- Only a superuser may change that (`revoke_public` did); where none migrates, the doctor says it. The owner keeps what
-- was everybody's; who else takes which lock stands below. Gaps in a series are filled by functions that change nothing.
do $$
declare
    given regprocedure;
    owner name;
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        return;
    end if;
    for owner in
        select rolname from pg_roles where oid = (select datdba from pg_database where datname = current_database())
            or oid = (select relowner from pg_class where oid = 'deployment'::regclass)
    loop
        for given in select g from undercroft_guarded_functions() g loop
            execute format('grant execute on routine %s to %I', given, owner);
        end loop;
    end loop;
    for given in
        select p.oid from undercroft_guarded_functions() g join pg_proc p on p.oid = g
        where p.proname in ('time_bucket_gapfill', 'locf', 'interpolate')
    loop
        execute format('grant execute on function %s to undercroft_grafana', given);
    end loop;
    grant execute on function pg_try_advisory_lock(integer, integer) to undercroft_engine, undercroft_duty;
    grant execute on function pg_advisory_xact_lock(integer, integer) to undercroft_duty, undercroft_acts;
end
$$;
