-- renew: keeps a pump's lease, unless it is over: then somebody else may own its runs already.
-- NEEDS: base
-- KEYS: [1] prefix
-- ARGV: frame(3), pump, lease ms
-- RETURNS: { 'ok' or 'lost', the runs it has to cancel... }
local pump, lease = ARGV[4], ARGV[5]
local ends = call('ZSCORE', P .. 'live', pump)
if not ends or tonumber(ends) < now then return { 'lost' } end
call('ZADD', P .. 'live', int(now + lease * 1000), pump)
return { 'ok', unpack(call('SMEMBERS', P .. 'cx:' .. pump)) }
