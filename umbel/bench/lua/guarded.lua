-- guarded: as `step`, for actions that need a lock of their room and a place under one limit. Who finds the lock taken
-- stands in its list and is made ready when its turn comes.
-- KEYS: [1] prefix
-- ARGV: who asks, most that it takes, number of ids that it popped itself, those ids, then 3 values for each that
--       ended: id, result (a JSON string), room
-- RETURNS: 2 values for each that starts: id, arguments as JSON
local P, call = KEYS[1], redis.call
local who, most, popped = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local INTERVAL, BURST = 1, 500000
local t = call('TIME')
local now = t[1] * 1000000 + t[2]

local ended = 0
for at = 4 + popped, #ARGV, 3 do
  local id, result, lock = ARGV[at], ARGV[at + 1], P .. 'lk:' .. ARGV[at + 2]
  call('HSET', P .. 'r:' .. id, 's', 'succeeded', 'r', result)
  call('LPOP', lock)
  local following = call('LINDEX', lock, 0)
  if following then call('RPUSH', P .. 'ready', following) end
  ended = ended + 1
end
if ended > 0 and call('DECRBY', P .. 'left', ended) == 0 then
  call('RPUSH', P .. 'finished', string.format('%.0f', now))
end

local ids, out = { unpack(ARGV, 4, 3 + popped) }, {}
for _, id in ipairs(#ids < most and call('LPOP', P .. 'ready', most - #ids) or {}) do ids[#ids + 1] = id end
local free = math.max(now, tonumber(call('GET', P .. 'tat') or 0))
for _, id in ipairs(ids) do
  local f = call('HMGET', P .. 'r:' .. id, 'a', 's')
  local lock = P .. 'lk:' .. f[1]:match('"room":(%d+)')
  if f[2] == 'waiting' or call('RPUSH', lock, id) == 1 then
    if free - now > BURST then
      call('RPUSH', P .. 'ready', id)
    else
      free = free + INTERVAL
      call('HSET', P .. 'r:' .. id, 's', 'running', 'm', who)
      out[#out + 1], out[#out + 2] = id, f[1]
    end
  else
    call('HSET', P .. 'r:' .. id, 's', 'waiting')
  end
end
if #out > 0 then call('SET', P .. 'tat', string.format('%.0f', free), 'PX', 10000) end
return out
