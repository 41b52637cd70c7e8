-- Supplies in hand.

-- name: supplies_stock
-- What a sensor of the place counted, by its newest good count, stands for what was known before; not for what people moved or
-- counted since.
with moved as (
    select split_part(subject, '/', 2) as place_id, body ->> 'item' as item, max(acted_at) as at from act
    where kind = 'stock_movement' and (%(place)s::text is null or split_part(subject, '/', 2) = %(place)s) group by 1, 2
), newest as (
    select distinct on (n.place_id, item) n.place_id, substr(n.quantity, 7) as item, o.value as quantity, o.observed_at as at
    from sensor n
    cross join lateral (
        select value, observed_at from observation where observation.sensor_id = n.sensor_id and quality = 1
        order by observed_at desc limit 1
    ) o
    where n.quantity like 'stock\_%%' and n.retired_at is null and (%(place)s::text is null or n.place_id = %(place)s)
    order by n.place_id, item, o.observed_at desc
), counted as (
    select n.place_id, n.item, n.quantity from newest n left join moved m on m.place_id = n.place_id and m.item = n.item
    where m.at is null or n.at > m.at
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
