-- Orders are shown with what was reported against their confirmation since: the field reports of a place, by time.
create index act_field_report on act (subject, acted_at) where kind = 'field_report';
