-- base: what every script starts with.
-- KEYS[1] is the prefix of all keys. ARGV[1..3] are the frame: clock in µs ('' = the server's; others in tests
-- only), seconds that an ended run is kept, seconds that a quiet conversation is kept.
local P, call = KEYS[1], redis.call
local now, RUN_TTL, CONVERSATION_TTL = tonumber(ARGV[1]), ARGV[2], ARGV[3]
if not now then
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end
-- The fence never lies behind the clock, so it serves as the floor below which time does not fall.
local floor = tonumber(call('GET', P .. 'fence') or '0')
if floor > now then now = floor end

local function int(n) return string.format('%.0f', n) end -- Lua's .. would print 1.79e+15
local NOW, RUN = int(now), P .. 'r:'

-- Lua's unpack ends near 8,000 values, and an error in the middle would leave a step half done.
local function call_each(command, key, list)
  local reply
  for at = 1, #list, 5000 do reply = call(command, key, unpack(list, at, math.min(at + 4999, #list))) end
  return reply
end

local function run_key(id) return RUN .. id end
local function base_queue(lane) return (lane:match('^[^/]+')) end
