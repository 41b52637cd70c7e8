-- The bench of the notifier: basins, alarms and the time to the first attempt.

-- name: duty_bench_places
with b as (
    insert into basin (basin_id, name_zh, name_en)
    select 'bench-' || n, '测试' || n, 'bench ' || n from generate_series(1, %(count)s::int) n returning basin_id)
insert into place (place_id, place_kind, name_zh, name_en, street, basin_id, lat, lon)
select basin_id, 'space', basin_id, basin_id, 'bench', basin_id, 22.5, 114.0 from b;

-- name: duty_bench_tick
insert into tick (tick_seq, tick_at, up_to_commit_seq) values (%(tick_seq)s, %(at)s, %(tick_seq)s);

-- name: duty_bench_raise
insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons)
select 'space/bench-' || n, 1, 1, %(tick_seq)s, %(at)s, 'raised', 4,
    '[{"severity": 4, "text_zh": "水深 30 cm", "text_en": "depth 30 cm"}]'
from generate_series(%(first)s::int, %(last)s::int) n;

-- name: duty_bench_sent
select count(*)::int as sent from notification where state = 'accepted';

-- name: duty_bench_delays
-- committed_at is the last statement but the commit itself; both clocks are this machine's.
select extract(epoch from min(n.first_attempt_at) - t.committed_at)::double precision as delay_s
from tick t join notification n on n.decided_at = t.tick_at
where t.tick_seq > %(after)s group by t.tick_seq, t.committed_at order by 1;
