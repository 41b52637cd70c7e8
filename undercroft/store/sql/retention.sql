-- name: retain
call undercroft_retain(%(now)s);
