-- open: makes a conversation, once.
-- NEEDS: base
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, then field and value pairs of its record
-- RETURNS: 'ok', 'exists' or 'going' (it is being removed)
local key = P .. 'c:' .. ARGV[4]
if call('EXISTS', key) == 1 then return call('HEXISTS', key, 'del') == 1 and 'going' or 'exists' end
call('HSET', key, 's', 'idle', 'rev', 0, 'sr', 0, 'created', NOW, unpack(ARGV, 5))
call('EXPIRE', key, CONVERSATION_TTL)
return 'ok'
