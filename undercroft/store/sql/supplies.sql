-- Supplies in hand.

-- name: supplies_stock
-- What a sensor of the place counts stands for what was known before: its newest good count.
with counted as (
    select distinct on (n.place_id, item) n.place_id, substr(n.quantity, 7) as item, o.value as quantity
    from sensor n
    cross join lateral (
        select value, observed_at from observation where observation.sensor_id = n.sensor_id and quality = 1
        order by observed_at desc limit 1
    ) o
    where n.quantity like 'stock\_%%' and n.retired_at is null and (%(place)s::text is null or n.place_id = %(place)s)
    order by n.place_id, item, o.observed_at desc
)
select coalesce(c.place_id, k.place_id) as place_id, coalesce(c.item, k.item) as item,
    coalesce(c.quantity, k.quantity) as quantity
from (select * from stock where %(place)s::text is null or place_id = %(place)s) k
full join counted c on c.place_id = k.place_id and c.item = k.item
order by 1, 2;

-- name: supplies_movements
-- Newest first.
select commit_seq, place_id, item, quantity, counted, quantity_left, reason, author, acted_at from stock_movement
where (%(place)s::text is null or place_id = %(place)s) and (%(before)s::bigint is null or commit_seq < %(before)s)
order by commit_seq desc limit %(limit)s;
