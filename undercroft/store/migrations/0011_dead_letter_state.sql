-- What an operator did with a dead letter. One that comes again after it was settled is open again.

alter table dead_letter
    add column state text not null default 'open' check (state in ('open', 'retried', 'dropped')),
    add column settled_at timestamptz,
    add column settled_by text;
create index dead_letter_open on dead_letter (last_received_at desc) where state = 'open';
