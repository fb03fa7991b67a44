-- person: says of somebody in a conversation whether he follows it, or that he is not there any more.
-- NEEDS: base events
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, name, state ('-' = takes him out)
-- RETURNS: 'ok' or 'missing' (no such conversation)
local c = P .. 'c:' .. ARGV[4]
local f = call('HMGET', c, 's', 'del')
if not f[1] or f[2] then return 'missing' end
call(ARGV[6] == '-' and 'HDEL' or 'HSET', c, 'p:' .. ARGV[5], unpack(ARGV[6] == '-' and {} or { ARGV[6] }))
return 'ok'
