-- name: run_newest_seq
select coalesce(max(run_seq), 0) as run_seq from tick where tick_seq = (select max(tick_seq) from tick);
