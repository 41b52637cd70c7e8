-- name: run_newest_seq
select coalesce(max(run_seq), 0) as run_seq from tick where tick_seq = (select max(tick_seq) from tick);

-- name: run_newest_clock
select run_seq, tick_at from tick where run_seq is not null order by tick_seq desc limit 1;

-- name: run_clock
select tick_at from tick where run_seq = %(run_seq)s order by tick_seq limit 1;
