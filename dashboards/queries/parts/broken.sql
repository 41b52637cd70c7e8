-- The rows of `drawn` (time, metric, value, next_at, silence), and an empty one behind each that a longer silence follows: no line is drawn through what
-- nobody measured or judged.
select told.time, d.metric, told.value
from drawn d
cross join lateral (values (d.time, d.value), (case when d.next_at - d.time > d.silence then d.time + d.silence / 3 end, null)) as told (time, value)
where told.time is not null
order by 1, 2, 3
