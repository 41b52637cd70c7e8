-- Workers that share one subscription: who serves which slot, and when it was last heard. A silent slot is taken over.

create table ingest_slot (
    share text not null,
    slot integer not null check (slot >= 0),
    holder text,
    beat_at timestamptz not null,
    wanted_by text,
    primary key (share, slot)
);
comment on column ingest_slot.wanted_by is 'The worker whose own slot this is; the holder drains it and gives it back.';
