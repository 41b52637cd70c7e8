-- Which devices are out of service: asked for each space that is looked at, among all acts.
create index act_out_of_service on act (subject, commit_seq desc) where kind in ('out_of_service', 'in_service');
