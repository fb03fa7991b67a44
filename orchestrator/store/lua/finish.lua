-- finish: what became of the runs that a pump held. A late finisher (older fence) changes nothing.
-- NEEDS: base events ready settle [ends guards limits fifos notes] effects
-- KEYS: [1] prefix
-- ARGV: frame(3), pump, queues that the pump claims from next, a space after each (they need no waking), then for
--       each run: id, fence, verdict (a terminal status, 'again', 'postponed', or 'late': what a ghost did), result,
--       delay ms, why, number of directives, and for each directive 3 values: kind, key, value
--       kinds: transition (state revision, target), set (key, JSON), append (key, JSON), complete, continue; and,
--       whatever the verdict: spent (limit, units), cool (limit, ms), check (why), ghost
-- RETURNS: for each run: 'ok', 'done' (this very finish was applied before), 'stale' or 'state_conflict'
local pump, own = ARGV[4], ARGV[5]
local verdicts, gone = {}, {}

local at = 6
while at <= #ARGV do
  local id, fence, verdict, result, delay, why, count = unpack(ARGV, at, at + 6)
  count = tonumber(count)
  local run, answer = read(id), 'ok'
  if verdict == 'late' then
    ladder().lay(pump, id .. '~' .. fence)
    if run.status then call('HSET', run_key(id), 'late', result) end
  elseif run.fence ~= fence or not is_running(run) then
    answer = run.fence == fence and 'done' or 'stale'
  else
    gone[#gone + 1] = id
    if count > 0 then ladder().take_notes(run, at + 7, count) end
    if run.status == 'cancelling' then
      ladder().stopped(run)
    elseif verdict == 'again' or verdict == 'postponed' then
      ladder().put_off(run, verdict, result, delay, why)
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
