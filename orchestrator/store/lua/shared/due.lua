-- due: what the clock brings. Members of `due`: a run whose wait is over, G<limit> or K<lock> (who has the
-- turn there may look again), D<run> (a deadline), A<run> (nobody has approved it), X<conversation> (more of it is to be
-- removed), B<barrier> (more of what waited at it may go on).

local function overdue(id)
  local run = read(id)
  if not LIVE[run.status or ''] or is_running(run) or run.children or run.approval == 'wanted' then return end
  if not is_late(run) then
    if run.deadline then call('ZADD', P .. 'due', run.deadline, 'D' .. id) end
    return
  end
  if run.status == 'blocked' and run.turn and ladder() and rarely().somebody_decides(run) then
    return call('ZADD', P .. 'due', int(now + 5000000), 'D' .. id)
  end
  call('ZREM', P .. 'due', id)
  ladder().fail(run, 'expired', G.ENDS.expired)
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
    elseif kind == 'A' then rarely().unanswered(rest)
    elseif kind == 'X' then ladder().remove(rest)
    elseif kind == 'B' then ladder().open_barrier(rest)
    elseif kind == 'K' then ladder().turn_lock_again(rest)
    else wake_run(read(member)) end
  end
  flush_ready()
end
