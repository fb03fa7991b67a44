-- due: what the clock brings. Members of `due`: a run whose wait is over, G<limit> (who has the turn there may look
-- again), D<run> (a deadline), X<conversation> (more of it is to be removed).

local function overdue(id)
  local run = read(id)
  if not LIVE[run.status or ''] or is_running(run) then return end
  local late = run.deadline and tonumber(run.deadline) <= now
  if not late and run.begin_by and not run.attempt then late = tonumber(run.begin_by) <= now end
  if not late then
    if run.deadline then call('ZADD', P .. 'due', run.deadline, 'D' .. id) end
    return
  end
  call('ZREM', P .. 'due', id)
  settle(run, 'expired', ENDS.expired)
end

local function wait_is_over(id)
  local run = read(id)
  if run.status ~= 'waiting' then return end
  call('HSET', run_key(id), 's', 'ready', 'since', NOW)
  call('HDEL', run_key(id), 'y', 'until')
  make_ready(id, run.lane, run.priority, run.tenant, run.level, true)
  tell_run(run.conversation, id, 'ready', run.attempt)
end

-- Before those that were submitted after them.
local function move_due(most)
  for _, member in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', int(now), 'LIMIT', 0, most)) do
    local kind, rest = member:sub(1, 1), member:sub(2)
    call('ZREM', P .. 'due', member)
    if kind == 'G' then
      ladder().turn_limit(rest)
      ladder().unpark(rest)
    elseif kind == 'D' then overdue(rest)
    elseif kind == 'X' then ladder().remove(rest)
    else wait_is_over(member) end
  end
  flush_ready()
end
