-- Dashboards ask for a stretch of time, and for what stood at a moment: neither may read the whole history.

create index alarm_raised on alarm (raised_at);
create index alarm_cleared on alarm (cleared_at);
create index alarm_event_at on alarm_event (tick_at);
create index alarm_event_occurrence on alarm_event (subject, occurrence, event_no);
create index act_at on act (acted_at);
create index act_rain_warning on act (subject, commit_seq desc) where kind = 'rain_warning';
create index act_stock_of_place on act (split_part(subject, '/', 2), (body ->> 'item'), commit_seq)
    where kind = 'stock_movement';
create index duty_order_changed on duty_order (changed_at);
create index duty_order_waiting on duty_order (order_id) where state not in ('confirmed', 'cancelled');
create index duty_log_of_order on duty_log ((body ->> 'order'), entry_no) where kind = 'order';
create index duty_log_order_at on duty_log (at) where kind = 'order';
create index dead_letter_at on dead_letter (last_received_at);
create index observation_conflict_at on observation_conflict (observed_at);
create index notification_queued on notification (queued_at);
