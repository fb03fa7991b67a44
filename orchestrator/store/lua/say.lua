-- say: a user message starts a turn (or a reply that had to wait does: it has no message), or waits in the inbox while
-- another turn lives.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, turn, digest of the request, message, lane and payload and priority of what leads
--       the turn, most rounds, what is run after the turn as JSON ('' = nothing; see round), what follows if another
--       turn lives: 'enqueue' (it waits), 'refuse', 'interrupt' (that one is cancelled, and this one is next) or
--       'inject' (the message goes into that one, before its next round; if it has none, it is next)
-- RETURNS: 'started', 'queued', 'exists', 'conflict' (same turn, other request), 'missing' (no such conversation) or
--          'busy' (refused)
local conversation, turn, digest, message, lane, payload, priority, max, after, busy = unpack(ARGV, 4, 13)
local c, t = P .. 'c:' .. conversation, P .. 't:' .. turn
local known = call('HGET', t, 'd')
if known then
  audit('{"turn":"' .. turn .. '","what":"asked again"}')
  publish()
  return known == digest and 'exists' or 'conflict'
end
local f = call('HMGET', c, 'live', 'u', 's', 'last', 'del')
if not f[3] or f[5] then return 'missing' end
if f[1] and busy == 'refuse' then return 'busy' end
call('HSET', t, 'c', conversation, 'd', digest, 's', 'queued', 'msg', message, 'q', lane, 'a', payload, 'p', priority,
  'u', f[2] or '', 'max', max, 'round', -1, 'left', 0, 'began', NOW, 'prev', f[4] or '')
if after ~= '' then call('HSET', t, 'ev', after) end
call('HSET', c, 'last', turn)
keep(conversation)
if f[1] then
  if busy == 'inject' then rarely().wait_to_go_in(turn, f[1], conversation)
  else call(busy == 'interrupt' and 'LPUSH' or 'RPUSH', P .. 'in:' .. conversation, turn) end
  if busy == 'interrupt' then call('HSET', t, 'ij', 'first') end
  tell(conversation, '{"turn":"' .. turn .. '","status":"queued"}')
  if busy == 'interrupt' then rarely().stop_turn(f[1], 'cancelled') end
  close_rounds()
  return call('HGET', t, 's') == 'queued' and 'queued' or 'started'
end
start_turn(turn, conversation)
close_rounds()
return 'started'
