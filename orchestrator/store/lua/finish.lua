-- finish: what became of the runs that a pump held. A late finisher (older fence) changes nothing.
-- NEEDS: base events ready settle [ends guards limits fifos notes] {record asks chains undoing follow rescue people stopping} effects
-- KEYS: [1] prefix
-- ARGV: frame(3), pump, queues that the pump claims from next, a space after each (they need no waking), then for
--       each run: id, fence, verdict (a terminal status, 'again', 'postponed', 'ask', or 'late': what a ghost did),
--       result, delay ms, why, number of effects, and for each of them 3 values: kind, key, value (see `ends.py`)
-- RETURNS: for each run: 'ok', 'done' (this very finish was applied before), 'stale' or 'state_conflict'
local pump, own = ARGV[4], ARGV[5]
local verdicts, gone, APPLIED = {}, {}, { succeeded = true, failed = true }

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
    run.may_rescue, run.rescues = run.rescues, run.wants_rescue
    run.rare = run.rare or run.rescues
    if run.rescue then
      if count > 0 and run.conversation then apply(run, at + 7, count) end
      settle(run, run.rescue, result)
    elseif run.status == 'cancelling' and not (verdict == 'succeeded' and (run.chain or run.parent)) then
      ladder().stopped(run)
    elseif verdict == 'again' or verdict == 'postponed' then
      ladder().put_off(run, verdict, result, delay, why)
    elseif verdict == 'ask' then
      rarely().ask_later(run, result, delay, why)
    elseif count > 0 and APPLIED[verdict] and run.conversation and not apply(run, at + 7, count)
      and verdict == 'succeeded' and not run.of then -- what an undo did is done
      answer = 'state_conflict'
      if run.chain then run.uncertain = call('HSET', run_key(id), 'uk', 1) end
      ladder().fail(run, 'failed', CONFLICT)
    elseif run.follows and verdict == 'succeeded' and run.status ~= 'cancelling' then
      rarely().follow_up(run, result, at + 7, count)
    elseif verdict == 'succeeded' then
      settle(run, verdict, result)
    else
      (run.rescues and rarely().rescue or settle)(run, verdict, result)
    end
    if run.stops and run.turn then rarely().stop_turn(run.turn, 'failed') end
  end
  verdicts[#verdicts + 1] = answer
  at = at + 7 + count * 3
end
call_each('SREM', P .. 'held:' .. pump, gone)
close_rounds(own)
return verdicts
