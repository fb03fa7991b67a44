-- admit: what a claim starts, and what the pump's posture is afterwards (asleep, hot or full; nobody else sets it).
-- out is the whole answer of the claim: three values, then those of each run (unpack would stop at 8,000).
local out, held, conversations = { 'ok', '0', -1, 0 }, {}, {}
local told, NOBODY = 4, { '', '', '', '' }

-- false: it was cancelled while it stood on the list.
local function start(id, pump, fence, worker)
  local f = call('HMGET', run_key(id), 's', 'n', 'q', 'a', 'c', 't', 'u', 'sus', 'd')
  if f[1] ~= 'ready' then return false end
  local attempt, conversation = (tonumber(f[2]) or 0) + 1, f[5]
  call('HSET', run_key(id), 's', 'running', 'f', fence, 'm', pump, 'n', attempt, 'since', NOW)
  held[#held + 1] = id
  local known = NOBODY
  if conversation then
    known = conversations[conversation] or call('HMGET', P .. 'c:' .. conversation, 'st', 'sr', 'mach', 'who')
    conversations[conversation] = known
    tell_run(conversation, id, 'running', attempt, nil, worker)
  end
  local n = told
  out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5], out[n + 6] = id, f[3], f[4], attempt, conversation or '', f[6] or ''
  out[n + 7], out[n + 8], out[n + 9], out[n + 10] = f[7] or '', known[1] or '', known[2] or '', f[8] or ''
  out[n + 11], out[n + 12], out[n + 13] = known[3] or '', known[4] or '', f[9] or 0
  told = n + 13
  return true
end

-- Tenants take turns: eight of one, then the next, while more than one has work.
local function take_turns(lane, priority, begin)
  local rotation = P .. 'rot:' .. lane.name .. ':' .. priority
  while lane.room > 0 do
    local tenant = call('LPOP', rotation)
    if not tenant then return end
    local list = P .. 'rdy:' .. lane.name .. ':' .. priority .. ':' .. tenant
    local share = call('EXISTS', rotation) == 1 and math.min(lane.room, 8) or lane.room
    local ids = call('LPOP', list, share)
    if call('EXISTS', list) == 1 then call('RPUSH', rotation, tenant) end
    for _, id in ipairs(ids or {}) do
      if begin(id) then lane.room = lane.room - 1 end
    end
  end
end

-- For each lane of its own: one that is full of threads may well sleep on the loop's lane.
local function set_posture(pump, lanes, rooms, nap)
  for _, lane in ipairs(lanes) do
    local room = rooms[lane.kind]
    local hot = room > 0 and #held > 0
    if hot then call('ZADD', P .. 'hot:' .. lane.name, int(now + 1000000), pump)
    else call('ZREM', P .. 'hot:' .. lane.name, pump) end
    if room > 0 and not hot then call('ZADD', P .. 'slp:' .. lane.name, int(now + nap * 1000), pump)
    else call('ZREM', P .. 'slp:' .. lane.name, pump) end
  end
end

-- How many runs it holds tells a pump of those that an answer which never came has given it.
local function answer(pump, verdict, fence)
  local due = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')
  out[1], out[2], out[4] = verdict, fence, call('SCARD', P .. 'held:' .. pump)
  out[3] = due[2] and math.max(0, math.ceil((due[2] - now) / 1000)) or -1
  return out
end
