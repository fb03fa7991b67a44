-- step: records what ended and gives what starts next. The last result of a turn appends all of them to the
-- conversation, in call order, and makes the continuation ready.
-- KEYS: [1] prefix
-- ARGV: who asks, most that it takes, number of ids that it popped itself, those ids, then 3 values for each that
--       ended: id, result (a JSON string), turn ('' = none)
-- RETURNS: 3 values for each that starts: id, arguments as JSON, turn
local P, call = KEYS[1], redis.call
local who, most, popped = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function close(turn)
  local f = call('HMGET', P .. 't:' .. turn, 'c', 'ids')
  local messages = {}
  for id in f[2]:gmatch('%S+') do
    local run = call('HMGET', P .. 'r:' .. id, 'h', 'r')
    messages[#messages + 1] = run[1] .. run[2] .. '}'
  end
  call('RPUSH', P .. 'm:' .. f[1], unpack(messages))
  local id = ARGV[4 + popped]:sub(1, 1) .. 'c' .. turn
  call('HSET', P .. 'r:' .. id, 's', 'ready', 'a', '')
  call('RPUSH', P .. 'ready', id)
end

local ended = 0
for at = 4 + popped, #ARGV, 3 do
  local id, result, turn = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  call('HSET', P .. 'r:' .. id, 's', 'succeeded', 'r', result)
  if turn == '' then
    ended = ended + 1
  elseif call('HINCRBY', P .. 't:' .. turn, 'left', -1) == 0 then
    close(turn)
  end
end
if ended > 0 and call('DECRBY', P .. 'left', ended) == 0 then
  local t = call('TIME')
  call('RPUSH', P .. 'finished', string.format('%.0f', t[1] * 1000000 + t[2]))
end

local ids, out = { unpack(ARGV, 4, 3 + popped) }, {}
for _, id in ipairs(#ids < most and call('LPOP', P .. 'ready', most - #ids) or {}) do ids[#ids + 1] = id end
for _, id in ipairs(ids) do
  local f = call('HMGET', P .. 'r:' .. id, 'a', 't')
  call('HSET', P .. 'r:' .. id, 's', 'running', 'm', who)
  out[#out + 1], out[#out + 2], out[#out + 3] = id, f[1], f[2] or ''
end
return out
