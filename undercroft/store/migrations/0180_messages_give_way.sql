-- What is told again gives way to a newer message of the same matter that waits for the same address: the newer text stands for it.

alter table notification add column gave_way boolean not null default false;
comment on column notification.gave_way is 'Its own text was not sent: merged_into tells the same matter as it stood later.';
