-- finish: what became of the runs that a pump held. A late finisher (older fence) changes nothing.
-- NEEDS: base events ready settle effects
-- KEYS: [1] prefix
-- ARGV: frame(3), pump, queues that the pump claims from next, a space after each (they need no waking), then for
--       each run: id, fence, verdict (a terminal status, 'again' or 'postponed'), result, delay ms, why, number of directives,
--       and for each directive 3 values: kind, key, value
--       kinds: transition (state revision, target), set (key, JSON), append (key, JSON), complete, continue
-- RETURNS: for each run: 'ok', 'done' (this very finish was applied before), 'stale' or 'state_conflict'
local pump, own = ARGV[4], ARGV[5]
local verdicts, gone = {}, {}

local at = 6
while at <= #ARGV do
  local id, fence, verdict, result, delay, why, count = unpack(ARGV, at, at + 6)
  count = tonumber(count)
  local run, answer = read(id), 'ok'
  if run.fence ~= fence or (run.status ~= 'running' and run.status ~= 'cancelling') then
    answer = run.fence == fence and 'done' or 'stale'
  else
    gone[#gone + 1] = id
    if run.status == 'cancelling' then
      stopped(run)
    elseif verdict == 'again' or verdict == 'postponed' then
      if verdict == 'postponed' then call('HINCRBY', run_key(id), 'n', -1) end
      call('HSET', run_key(id), 's', 'waiting', 'y', why, 'since', NOW, 'until', int(now + delay * 1000), 'e', result)
      call('HDEL', run_key(id), 'sus', 'k')
      call('ZADD', P .. 'due', int(now + delay * 1000), id)
      tell_run(run.conversation, id, 'waiting', run.attempt, why)
    elseif count > 0 and verdict == 'succeeded' and run.conversation and not apply(run, at + 7, count) then
      answer = 'state_conflict'
      settle(run, 'failed', CONFLICT)
    else
      settle(run, verdict, result)
    end
  end
  verdicts[#verdicts + 1] = answer
  at = at + 7 + count * 3
end
call_each('SREM', P .. 'held:' .. pump, gone)
close_rounds(own)
return verdicts
