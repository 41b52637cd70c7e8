-- A batch row tells the place of its readings in the commit order. Live nearly every message is a batch of its own, so the
-- rows have to end: the class keeps them 30 days, and every day that a hold touches.

insert into retention_class (relation, time_column, data_class, keep, step) values
    ('batch', 'committed_at', 'message', interval '30 days', interval '1 day');

-- Dashboards ask by the time of a run where there is one; retention by the time of the commit, in the order of the rows.
create index batch_at on batch ((coalesce(run_now, committed_at)));
create index batch_committed on batch using brin (committed_at);
