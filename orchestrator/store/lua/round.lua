-- round: opens a round of a turn: the reply's message, the records of its calls (refused ones with their results).
-- Either a posted reply, which begins a turn of its own, or the reply that the live run `by` was given; that run
-- ends in the same step, and one that lost its lease changes nothing.
-- NEEDS: base events ready settle [ends guards limits fifos] record
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, turn, digest, round, by ('' = posted), fence of by, go on afterwards ('1' or ''),
--       most rounds, lane and payload and priority of what continues ('' = nothing), state that the conversation
--       moves to by itself and the state revision that this was decided on ('' = it stays), number of messages,
--       the messages, then 13 values for each run (see submit)
-- RETURNS: 'ok', 'exists', 'conflict', 'busy' (another turn lives), 'missing' (no conversation) or 'stale'
local conversation, turn, digest, round, by, fence, go, max, lane, payload, priority, state, revision, count =
  unpack(ARGV, 4, 17)
local c, t = P .. 'c:' .. conversation, P .. 't:' .. turn
local leader = by ~= '' and read(by) or nil
if leader then
  if leader.status ~= 'running' or leader.fence ~= fence then return 'stale' end
else
  local known = call('HGET', t, 'd')
  if known then return known == digest and 'exists' or 'conflict' end
  local f = call('HMGET', c, 'live', 's', 'u', 'last', 'del')
  if not f[2] or f[5] then return 'missing' end
  if f[1] then return 'busy' end
  call('HSET', t, 'c', conversation, 'd', digest, 's', 'live', 'max', max, 'q', lane, 'a', payload, 'p', priority,
    'u', f[3] or '', 'began', NOW, 'prev', f[4] or '')
  call('HSET', c, 'live', turn, 's', 'live', 'last', turn, 'was', turn)
  keep(conversation)
end

local first = 18 + tonumber(count)
if first > 18 then call('RPUSH', P .. 'm:' .. conversation, unpack(ARGV, 18, first - 1)) end
if state ~= '' and call('HGET', c, 'sr') == revision then move(conversation, state) end
call('HINCRBY', c, 'rev', 1)
local ids, total = {}, math.floor((#ARGV - first + 1) / RUN_FIELDS)
call('HSET', t, 'round', round, 'left', total, 'n' .. round, total)
call(go == '1' and 'HSET' or 'HDEL', t, 'go', unpack(go == '1' and { 1 } or {}))
tell(conversation, '{"turn":"' .. turn .. '","status":"live","round":' .. round .. '}')
for at = first, #ARGV, RUN_FIELDS do ids[#ids + 1] = record(at, conversation, turn) end
call('HSET', t, 'ids', table.concat(ids, ' '))
settle_recorded()
if leader then
  call('SREM', P .. 'held:' .. leader.pump, by)
  leader.opened = true
  settle(leader, 'succeeded', '{}')
end
if total == 0 then rounds[turn] = 0 end
close_rounds()
return 'ok'
