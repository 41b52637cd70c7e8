-- An absence that was entered by mistake is taken back; that it was stays on record.

alter table roster_absence add column taken_back_at timestamptz, add column taken_back_by text,
    add constraint taken_back_by_somebody check ((taken_back_at is null) = (taken_back_by is null));
comment on column roster_absence.taken_back_at is 'When it was taken back: it counts for nothing then. Null: it stands.';
