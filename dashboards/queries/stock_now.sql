-- What every depot and space holds.
-- place | text |  | 地点 Place
-- item | text |  | 物资 Item
-- quantity | number | count | 数量 Quantity
-- age_s | number | s | 清单龄 Site file
select k.name as place, k.item, k.quantity, (select extract(epoch from to_timestamp($__unixEpochTo()) - imported_at)::float8 from grafana.deployment) as age_s
from grafana.stock k
where {{in:street:k.street}}
order by k.place_id, k.item;
