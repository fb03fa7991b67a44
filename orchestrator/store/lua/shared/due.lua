-- due: runs whose wait is over become ready, before those that were submitted after them.
local function move_due(most)
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', int(now), 'LIMIT', 0, most)) do
    local run = read(id)
    if run.status == 'waiting' then
      call('HSET', run_key(id), 's', 'ready', 'since', int(now))
      call('HDEL', run_key(id), 'y', 'until')
      make_ready(id, run.lane, run.priority, run.tenant, run.level, true)
      tell_run(run.conversation, id, 'ready', run.attempt)
    end
    call('ZREM', P .. 'due', id)
  end
  flush_ready()
end
