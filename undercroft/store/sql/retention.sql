-- name: retain
select relation, count(*)::int as steps, min(dropped_from) as dropped_from, max(dropped_to) as dropped_to
from undercroft_retain(%(now)s) group by relation order by relation;
