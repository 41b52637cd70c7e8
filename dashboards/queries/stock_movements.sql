-- Who moved or counted which supplies in the range.
-- at | time |  | 时间 At
-- place | text |  | 地点 Place
-- item | text |  | 物资 Item
-- quantity | number | count | 增减 More or less
-- counted | number | count | 清点 Counted
-- quantity_left | number | count | 余量 Left
-- reason | text |  | 事由 Reason
-- author | text |  | 人员 Who
-- age_s | number | s | 距时段末 Before the end | plain
select m.acted_at as at, m.place, m.item, m.quantity, m.counted, m.quantity_left, m.reason, m.author,
    extract(epoch from to_timestamp($__unixEpochTo()) - m.acted_at)::float8 as age_s
from grafana.stock_movement m
where $__timeFilter(m.acted_at) and {{chosen:m}}
order by m.acted_at desc, m.place, m.item
limit 300;
