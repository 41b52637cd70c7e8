-- Sessions that the broker keeps for ingest, and what each was subscribed to.

-- name: remember_subscription
insert into ingest_subscription (client_id, lane, share, filters)
values (%(client_id)s, %(lane)s, %(share)s, %(filters)s)
on conflict (client_id) do update
set filters = (
    select array_agg(distinct topic_filter order by topic_filter)
    from unnest(ingest_subscription.filters || excluded.filters) as topic_filter
)
returning filters;

-- name: fetch_former_subscriptions
select client_id, filters from ingest_subscription where lane = %(lane)s and share <> %(share)s order by client_id;

-- name: forget_subscription
delete from ingest_subscription where client_id = %(client_id)s;
