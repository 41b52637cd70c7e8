-- What ailed the system at a moment is told by its acts, as rain warnings are.
create index act_condition on act (subject, commit_seq desc) where kind = 'system_condition';

-- A restored database may wait until somebody has looked at it.
alter table deployment add column held_at timestamptz;
comment on column deployment.held_at is 'Since when engine and notifier wait for `undercroft db release`; null: they work.';
comment on column notification.state is 'accepted: the service took it. handed_over: we cannot know. held: never sent: a drill that names no channel, or of before a backup.';
