-- open: makes a conversation, once.
-- NEEDS: base
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, then field and value pairs of its record
-- RETURNS: 'ok' or 'exists'
local key = P .. 'c:' .. ARGV[4]
if call('EXISTS', key) == 1 then return 'exists' end
call('HSET', key, 's', 'idle', 'rev', 0, 'sr', 0, 'created', NOW, unpack(ARGV, 5))
call('EXPIRE', key, CONVERSATION_TTL)
return 'ok'
