-- say: a user message starts a turn, or waits in the inbox while another turn lives.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, turn, digest of the request, message, lane and payload and priority of what leads
--       the turn, most rounds, what is run after the turn as JSON ('' = nothing; see round)
-- RETURNS: 'started', 'queued', 'exists', 'conflict' (same turn, other request) or 'missing' (no such conversation)
local conversation, turn, digest, message, lane, payload, priority, max, after = unpack(ARGV, 4, 12)
local c, t = P .. 'c:' .. conversation, P .. 't:' .. turn
local known = call('HGET', t, 'd')
if known then
  audit('{"turn":"' .. turn .. '","what":"asked again"}')
  publish()
  return known == digest and 'exists' or 'conflict'
end
local f = call('HMGET', c, 'live', 'u', 's', 'last', 'del')
if not f[3] or f[5] then return 'missing' end
call('HSET', t, 'c', conversation, 'd', digest, 's', 'queued', 'msg', message, 'q', lane, 'a', payload, 'p', priority,
  'u', f[2] or '', 'max', max, 'round', -1, 'left', 0, 'began', NOW, 'prev', f[4] or '')
if after ~= '' then call('HSET', t, 'ev', after) end
call('HSET', c, 'last', turn)
keep(conversation)
if f[1] then
  call('RPUSH', P .. 'in:' .. conversation, turn)
  tell(conversation, '{"turn":"' .. turn .. '","status":"queued"}')
  publish()
  return 'queued'
end
start_turn(turn, conversation)
close_rounds()
return 'started'
