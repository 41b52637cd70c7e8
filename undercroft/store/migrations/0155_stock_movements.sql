-- Stock movements are acts: who moved or counted what, where, why, and what that left. `stock` is what they left.
create view stock_movement as
select commit_seq, split_part(subject, '/', 2) as place_id, body ->> 'item' as item,
    (body ->> 'quantity')::double precision as quantity, (body ->> 'counted')::double precision as counted,
    (body ->> 'left')::double precision as quantity_left, body ->> 'reason' as reason, author, acted_at
from act where kind = 'stock_movement';
comment on view stock_movement is 'Movements of supplies in commit order: more, less, or a count, and what was left.';
create index act_stock_movement on act (acted_at desc) where kind = 'stock_movement';
