-- Steps of orders: issued, taken, confirmed, refused, cancelled, a confirmation taken back; of the chosen space or of all.
-- time | time |  | 时间 Time
-- title | text |  | 指令 Order
-- text | text |  | 责任人 Owner
-- tags | text |  | 标签 Tags
select o.at as time, '指令 Order ' || o.proof || ': ' || case when o.step = 'undo' then '撤回确认 confirmation taken back'
    when o.state = 'issued' then '下达 issued' when o.state = 'taken' then '接收 taken'
    when o.state = 'confirmed' then '确认 confirmed' when o.state = 'refused' then '拒绝 refused'
    when o.state = 'cancelled' then '撤销 cancelled' else o.step end || ', ' || o.name as title, o.owner || ' · ' || o.author as text, o.step as tags
from grafana.order_step o
where $__timeFilter(o.at) and {{chosen:o}} and {{in:space:o.space_id}}
order by o.at, o.entry_no limit 500;
