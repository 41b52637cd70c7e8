-- CAP messages that were made.

-- name: cap_lock
select pg_advisory_xact_lock(hashtext('undercroft'), hashtext('cap')) is null as locked;

-- name: cap_taken
select identifier from cap_message where sent_at >= date_trunc('second', %(sent)s::timestamptz);

-- name: cap_keep
insert into cap_message (identifier, incident_id, sender, sent_at, kind, reference, author, made_at, xml)
values (%(identifier)s, %(incident_id)s, %(sender)s, %(sent_at)s, %(kind)s, %(reference)s, %(author)s, %(made_at)s, %(xml)s);

-- name: cap_of_entry
select m.* from cap_message m join duty_log l on l.body ->> 'identifier' = m.identifier
where l.entry_no = %(entry_no)s and l.kind = 'export_cap';

-- name: cap_messages
select identifier, incident_id, sender, sent_at, kind, reference, author, made_at, xml from cap_message
where incident_id = %(incident_id)s and (%(identifier)s::text is null or identifier = %(identifier)s)
order by sent_at, identifier;
