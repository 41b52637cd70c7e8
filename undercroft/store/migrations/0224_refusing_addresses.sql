-- Which addresses refused at the notifier's last look, so that another one is news after a restart too.

alter table duty_progress add column refusing jsonb;
comment on column duty_progress.refusing is 'Condition of a channel -> addresses that refused at the last look; null: never looked.';
