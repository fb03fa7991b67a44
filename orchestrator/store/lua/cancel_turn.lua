-- cancel_turn: ends a turn, or the live turn of a conversation and all that wait behind it.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), turn or conversation, 'turn', 'conversation' or 'forget' (it is to be removed, too)
-- RETURNS: 'cancelled', 'cancelling' (handlers are being stopped), 'undoing' (a chain is, and goes on with that),
--          'terminal' (nothing lived) or 'missing'
local id, kind = ARGV[4], ARGV[5]
local verdict
if kind == 'turn' then
  verdict = rarely().stop_turn(id, 'cancelled')
else
  local c = P .. 'c:' .. id
  if call('EXISTS', c) == 0 then return 'missing' end
  if kind == 'forget' then
    call('HSET', c, 'del', 1)
    call('ZADD', P .. 'due', NOW, 'X' .. id)
  end
  verdict = 'terminal'
  for _, turn in ipairs(call('LRANGE', P .. 'in:' .. id, 0, -1)) do verdict = rarely().stop_turn(turn, 'cancelled') end
  local live = call('HGET', c, 'live')
  if live then verdict = rarely().stop_turn(live, 'cancelled', kind == 'forget') end
end
close_rounds()
if verdict ~= 'cancelling' then return verdict end
local turn = kind == 'turn' and id or call('HGET', P .. 'c:' .. id, 'live')
return turn and call('HGET', P .. 't:' .. turn, 's') == 'live' and verdict or 'cancelled'
