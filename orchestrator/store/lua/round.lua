-- round: opens a round of a turn: the reply's message, the records of its calls (refused ones with their results).
-- Either a posted reply, which begins a turn of its own, or the reply that the live run `by` was given; that run
-- ends in the same step, and one that lost its lease changes nothing.
-- NEEDS: base events ready settle [ends guards limits fifos] {asks chains undoing follow rescue people stopping} record
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, turn, digest, round, by ('' = posted), fence of by, go on afterwards ('1' or ''),
--       most rounds, lane and payload and priority of what continues ('' = nothing, or with `by` as it was), state that the conversation
--       moves to by itself and the state revision that this was decided on ('' = it stays), what few rounds have as
--       JSON (mode, ans: it answers, ev: what is run after the turn, lead: the row of what holds a chain's locks, end: why
--       the turn fails with this round),
--       number of messages, the messages, then 14 values for each run (see submit)
-- RETURNS: 'ok', 'exists', 'conflict', 'busy' (another turn lives), 'missing' (no conversation) or 'stale'
local conversation, turn, digest, round, by, fence, go, max, lane, payload, priority, state, revision, rest, count =
  unpack(ARGV, 4, 18)
local c, t = P .. 'c:' .. conversation, P .. 't:' .. turn
local leader = by ~= '' and read(by) or nil
if leader then
  if leader.status ~= 'running' or leader.fence ~= fence then return 'stale' end
  if lane ~= '' then call('HSET', t, 'a', payload) end -- what leads on after a reply that had waited
else
  local known = call('HGET', t, 'd')
  if known then
    audit('{"turn":"' .. turn .. '","what":"asked again"}')
    publish()
    return known == digest and 'exists' or 'conflict'
  end
  local f = call('HMGET', c, 'live', 's', 'u', 'last', 'del')
  if not f[2] or f[5] then return 'missing' end
  if f[1] then return 'busy' end
  call('HSET', t, 'c', conversation, 'd', digest, 's', 'live', 'max', max, 'q', lane, 'a', payload, 'p', priority,
    'u', f[3] or '', 'began', NOW, 'prev', f[4] or '')
  call('HSET', c, 'live', turn, 's', 'live', 'last', turn, 'was', turn)
  keep(conversation)
end

local first = 19 + tonumber(count)
if first > 19 then call('RPUSH', P .. 'm:' .. conversation, unpack(ARGV, 19, first - 1)) end
if state ~= '' and call('HGET', c, 'sr') == revision then move(conversation, state) end
call('HINCRBY', c, 'rev', 1)
local ids, total = {}, math.floor((#ARGV - first + 1) / RUN_FIELDS)
call('HSET', t, 'round', round, 'left', total, 'n' .. round, total)
call(go == '1' and 'HSET' or 'HDEL', t, 'go', unpack(go == '1' and { 1 } or {}))
tell(conversation, '{"turn":"' .. turn .. '","status":"live","round":' .. round .. '}')
if rest ~= '' then rarely().begin_round(t, turn, round, total, conversation, cjson.decode(rest)) end
for at = first, #ARGV, RUN_FIELDS do
  ids[#ids + 1] = record(conversation, turn, unpack(ARGV, at, at + RUN_FIELDS - 1))
end
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
