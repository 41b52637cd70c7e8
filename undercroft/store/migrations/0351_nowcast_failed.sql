-- A tick that no nowcast came to because it failed says so: an input of the tick, so whoever folds it again tells the same.

alter table tick add column nowcast_error text;
comment on column tick.nowcast_error is 'Why the nowcast failed that this tick would have used; null: none failed.';
