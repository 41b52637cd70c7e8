-- Letters of one receipt are tried again in the order in which they were sent. Their rows are written in the order of their
-- keys, so that two writers never wait for each other, and their numbers say nothing of it.
alter table dead_letter add column place integer not null default 0;
comment on column dead_letter.place is 'Among the letters of its batch, in order of arrival.';
