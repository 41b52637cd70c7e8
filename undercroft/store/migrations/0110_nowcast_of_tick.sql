-- tick.nowcast_id names the tick whose memory the nowcast was made from that a tick used. Folding the log again asks of
-- every tick whether a later one did so.
create index tick_nowcast on tick (nowcast_id) where nowcast_id is not null;
comment on column tick.nowcast_id is 'The tick whose memory the nowcast was made from that this one used; null for none.';
