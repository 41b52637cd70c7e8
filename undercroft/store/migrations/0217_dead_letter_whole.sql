-- A dead letter keeps whatever ingest may read, 256 KiB, whole: a pack of a device that is imported later is stored then.
alter table dead_letter drop constraint dead_letter_payload_check;
alter table dead_letter add constraint dead_letter_payload_check check (octet_length(payload) <= 262144);
