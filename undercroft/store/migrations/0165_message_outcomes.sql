-- What became of the newest message to an address: whether a channel still refuses it.
create index notification_outcome on notification (channel, address, (coalesce(settled_at, queued_at)) desc, notification_id desc)
    where state in ('accepted', 'handed_over', 'failed');
