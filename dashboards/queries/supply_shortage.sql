-- What spaces asked for beyond what was on site at the end of the range, and what the depots held of it. Age: of the newest movement of either.
-- space | text |  | 地下空间 Space
-- item | text |  | 物资 Item
-- required | number | count | 需要 Required
-- on_site | number | count | 现场 On site
-- short | number | count | 缺口 Short
-- in_depots | number | count | 各仓库 In depots
-- age_s | number | s | 末次变动 Last movement | plain
with held as materialized (
    select place_id, place_kind, item, quantity, changed_at from grafana.stock_at(to_timestamp($__unixEpochTo()))
), depots as (
    select item, sum(quantity) as quantity, max(changed_at) as changed_at from held where place_kind = 'depot' group by item
), asked as (
    select s.space_id, s.name, r.item, sum(r.quantity) as required
    from grafana.requirement r join grafana.space s on s.space_id = r.space_id
    where {{chosen:s}}
    group by s.space_id, s.name, r.item
)
select a.name as space, a.item, a.required, coalesce(h.quantity, 0) as on_site,
    greatest(a.required - coalesce(h.quantity, 0), 0) as short, coalesce(d.quantity, 0) as in_depots,
    extract(epoch from to_timestamp($__unixEpochTo()) - greatest(h.changed_at, d.changed_at,
        (select imported_at from grafana.deployment where imported_at <= to_timestamp($__unixEpochTo()))))::float8 as age_s
from asked a
left join held h on h.place_id = a.space_id and h.item = a.item
left join depots d on d.item = a.item
order by 5 desc, a.space_id, a.item;
