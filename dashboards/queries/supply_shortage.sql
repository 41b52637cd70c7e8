-- What spaces ask for beyond what is on site, and what the depots hold of it. Stock counts as last moved.
-- space | text |  | 地下空间 Space
-- item | text |  | 物资 Item
-- required | number | count | 需要 Required
-- on_site | number | count | 现场 On site
-- short | number | count | 缺口 Short
-- in_depots | number | count | 各仓库 In depots
-- age_s | number | s | 清单龄 Site file
select s.name as space, r.item, sum(r.quantity) as required, coalesce(max(k.quantity), 0) as on_site,
    greatest(sum(r.quantity) - coalesce(max(k.quantity), 0), 0) as short,
    coalesce((select sum(d.quantity) from grafana.stock d where d.item = r.item and d.place_kind = 'depot'), 0) as in_depots,
    (select extract(epoch from to_timestamp($__unixEpochTo()) - imported_at)::float8 from grafana.deployment) as age_s
from grafana.requirement r
join grafana.space s on s.space_id = r.space_id
left join grafana.stock k on k.place_id = r.space_id and k.item = r.item
where {{in:district:s.district_id}} and {{in:street:s.street}} and {{in:kind:s.kind}} and {{in:space:s.space_id}}
group by s.space_id, s.name, r.item
order by 5 desc, s.space_id, r.item;
