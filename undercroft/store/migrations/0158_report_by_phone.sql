-- The first report is made by phone, before the written one: it has a clock of its own and the number 0.
alter table report drop constraint report_kind_check;
alter table report add constraint report_kind_check check (kind in ('phone', 'first', 'follow_up', 'final'));
alter table report add constraint report_by_phone_is_0 check ((kind = 'phone') = (serial = 0));
