-- What people do, in commit order.

-- name: act_record
insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
values (%(act_id)s, %(commit_seq)s, %(kind)s, %(subject)s, %(author)s, %(acted_at)s, %(body)s::jsonb);

-- name: act_newest
select commit_seq, subject, author, acted_at, body from (
    select distinct on (subject) commit_seq, subject, author, acted_at, body
    from act where kind = %(kind)s order by subject, commit_seq desc) newest
order by commit_seq;

-- name: act_all
select commit_seq, subject, author, acted_at, body from act where kind = %(kind)s order by commit_seq;
