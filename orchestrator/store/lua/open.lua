-- open: makes a conversation, once.
-- NEEDS: base
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation, digest of what was asked for under its key ('' = none), then field and value pairs of its
--       record
-- RETURNS: 'ok', 'exists', 'conflict' (it is there, and something else was asked for) or 'going' (it is being removed)
local key = P .. 'c:' .. ARGV[4]
if call('EXISTS', key) == 1 then
  local f = call('HMGET', key, 'del', 'dg')
  return f[1] and 'going' or ARGV[5] ~= '' and f[2] ~= ARGV[5] and 'conflict' or 'exists'
end
call('HSET', key, 's', 'idle', 'rev', 0, 'sr', 0, 'created', NOW, unpack(ARGV, 6))
if ARGV[5] ~= '' then call('HSET', key, 'dg', ARGV[5]) end
call('EXPIRE', key, CONVERSATION_TTL)
return 'ok'
