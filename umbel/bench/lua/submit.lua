-- submit: records actions and makes them ready: the least that any durable design does.
-- KEYS: [1] prefix
-- ARGV: then 2 values for each action: id, arguments as JSON
-- RETURNS: nothing
local P, call = KEYS[1], redis.call
for at = 1, #ARGV, 2 do
  call('HSET', P .. 'r:' .. ARGV[at], 's', 'ready', 'a', ARGV[at + 1])
  call('RPUSH', P .. 'ready', ARGV[at])
end
