-- post: records a model's reply with its calls and makes them ready.
-- KEYS: [1] prefix
-- ARGV: conversation, turn, the assistant's message, then 3 values for each call: id, arguments as JSON, head of its
--       tool message (up to the content)
-- RETURNS: nothing
local P, call = KEYS[1], redis.call
local conversation, turn, message = ARGV[1], ARGV[2], ARGV[3]
local ids = {}
call('RPUSH', P .. 'm:' .. conversation, message)
for at = 4, #ARGV, 3 do
  ids[#ids + 1] = ARGV[at]
  call('HSET', P .. 'r:' .. ARGV[at], 's', 'ready', 'a', ARGV[at + 1], 'h', ARGV[at + 2], 't', turn)
end
call('HSET', P .. 't:' .. turn, 'c', conversation, 'left', #ids, 'ids', table.concat(ids, ' '))
call('RPUSH', P .. 'ready', unpack(ids))
