-- What every depot and space held at the end of the range. Age: since the last movement, else since the site file.
-- place | text |  | 地点 Place
-- item | text |  | 物资 Item
-- quantity | number | count | 数量 Quantity
-- age_s | number | s | 末次变动 Last movement | plain
select k.name as place, k.item, k.quantity, extract(epoch from to_timestamp($__unixEpochTo()) - k.changed_at)::float8 as age_s
from grafana.stock_at(to_timestamp($__unixEpochTo())) k
where {{chosen:k}}
order by k.place_id, k.item;
