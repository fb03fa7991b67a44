-- tick: once a second for each host: what pumps do for themselves while they are awake, done for those that are not.
-- Runs of pumps whose lease is over are made ready again, what is due becomes ready, queues with work are woken.
-- NEEDS: base events ready settle [ends guards limits fifos parking remove] {record asks chains undoing follow rescue people stopping} due release
-- KEYS: [1] prefix
-- ARGV: frame(3), ms during which one tick is enough for all hosts (0: always), then the queues that the caller knows
-- RETURNS: the number of runs that still wait for recovery: call again at once until 0; -1: another host ticked
for at = 5, #ARGV do call('ZADD', P .. 'queues', int(now + 86400 * 1000000), ARGV[at]) end -- also who may not tick serves
if ARGV[4] ~= '0' and not call('SET', P .. 'ticked', 1, 'NX', 'PX', ARGV[4]) then return -1 end
for _, lane in ipairs(lanes_of(call('ZRANGEBYSCORE', P .. 'queues', '-inf', NOW))) do
  call('DEL', P .. 'hot:' .. lane, P .. 'slp:' .. lane)
end
call('ZREMRANGEBYSCORE', P .. 'queues', '-inf', NOW)
local queues = call('ZRANGE', P .. 'queues', 0, -1)

local budget, left = 200, 0
-- A lease that ends later than any lease can was given before the clock was set back.
for _, pump in ipairs(call('ZRANGEBYSCORE', P .. 'live', int(now + 601000000), '+inf')) do
  call('ZADD', P .. 'live', int(now + 10000000), pump)
end
for _, pump in ipairs(call('ZRANGEBYSCORE', P .. 'live', '-inf', '(' .. NOW, 'LIMIT', 0, 50)) do
  for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. pump)) do
    if budget > 0 then take(pump, id, true, true) else left = left + 1 end
    budget = budget - 1
  end
  if budget >= 0 then
    call('ZREM', P .. 'live', pump)
    withdraw(pump, queues)
  end
end
if left == 0 and call('ZCOUNT', P .. 'live', '-inf', '(' .. NOW) > 0 then left = 1 end

move_due(200)
flush_ready()
for _, index in ipairs({ 'dead', 'stuck' }) do
  call('ZREMRANGEBYSCORE', P .. index, '-inf', int(now - RUN_TTL * 1000000))
  call('ZREMRANGEBYRANK', P .. index, 0, -10001)
end
touch_what_has_work(queues)
close_rounds()
-- Last, for a round that this tick has closed may have made something ready.
for _, lane in ipairs(lanes_of(queues)) do
  call('ZREMRANGEBYSCORE', P .. 'hot:' .. lane, '-inf', NOW)
  call('ZREMRANGEBYSCORE', P .. 'slp:' .. lane, '-inf', NOW)
  if has_work(lane) and not is_hot(lane) then nudge(base_queue(lane)) end -- who sleeps here may be dead
end
return left
