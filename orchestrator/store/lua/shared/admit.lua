-- admit: what a claim starts, and what the pump's posture is afterwards (asleep, hot or full; nobody else sets it).
-- out is the whole answer of the claim: four values, then those of each run (unpack would stop at 8,000).
local out, held, conversations = { 'ok', '0', -1, 0 }, {}, {}
local told, NOBODY, WEIGHTS = 4, { '', '', '', '' }, { [0] = 6, 3, 1 }
local budget = 400 -- runs that one claim lets wait at their guards; a script that takes longer would hold up all others

-- What few runs have: how long it may take in all, what its last attempt left unknown. nil: it does not start now.
local function start_rare(id, f)
  local rest, run = {}, read_more({ id = id, status = f[1], attempt = f[2] or nil, lane = f[3], conversation = f[5] or nil,
    tenant = f[7] or '', level = f[8] or nil })
  if f[10] == '2' then read_rare(run) end
  if is_late(run) then
    ladder().fail(read(id), 'expired', G.ENDS.expired)
    return
  end
  if run.guards and not ladder().climb(run) then return end
  if run.chain == 'lead' then return rarely().hold(id) end
  if run.rare then rarely().tell_pump(run, rest) end
  if run.deadline then rest[#rest + 1] = '"left":' .. int((run.deadline - now) / 1000) end
  if run.check then rest[#rest + 1] = '"check":"' .. run.check .. '"' end
  if f[9] then rest[#rest + 1] = '"deaths":' .. f[9] end
  return #rest > 0 and '{' .. table.concat(rest, ',') .. '}' or ''
end

-- false: it was cancelled while it stood on the list, or a guard stopped it.
local function start(id, pump, fence, worker)
  local f = call('HMGET', run_key(id), 's', 'n', 'q', 'a', 'c', 't', 'u', 'sus', 'd', 'ex')
  if f[1] ~= 'ready' then return false end
  local rest = f[9] and '{"deaths":' .. f[9] .. '}' or ''
  if f[10] then
    rest = start_rare(id, f)
    if not rest then return false end
  end
  local attempt, conversation = (tonumber(f[2]) or 0) + 1, f[5]
  if attempt == 1 then
    call('HSET', run_key(id), 's', 'running', 'f', fence, 'm', pump, 'n', 1, 'since', NOW, 'b', NOW)
  else
    call('HSET', run_key(id), 's', 'running', 'f', fence, 'm', pump, 'n', attempt, 'since', NOW)
  end
  held[#held + 1] = id
  local known = NOBODY
  if conversation then
    known = conversations[conversation] or call('HMGET', P .. 'c:' .. conversation, 'st', 'sr', 'mach', 'who')
    conversations[conversation] = known
  end
  tell_run(conversation, id, 'running', attempt, nil, worker)
  local n = told
  out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5], out[n + 6] = id, f[3], f[4], attempt, conversation or '', f[6] or ''
  out[n + 7], out[n + 8], out[n + 9], out[n + 10] = f[7] or '', known[1] or '', known[2] or '', f[8] or ''
  out[n + 11], out[n + 12], out[n + 13] = known[3] or '', known[4] or '', rest
  told = n + 13
  return true
end

-- Those that ended while they stood on the list ask for nobody's places.
local function some_wait_alone(list)
  while true do
    local id = call('LINDEX', list, 0)
    if not id then return false end
    if call('HGET', run_key(id), 's') == 'ready' then return true end
    call('LPOP', list)
  end
end

local function rotation_of(lane, priority) return P .. 'rot:' .. lane.name .. ':' .. priority end

-- While others wait a tenant fills no more than its share of the pump's places. shares: '<kind>:<most>:<tenant>=<in
-- flight>,…;' for each kind of place, '' without one.
local function room_of_tenant(lane, tenant, shares, others)
  if shares == '' then return math.huge end
  for priority = 0, not others and lane.mixed and 2 or -1 do
    for _, each in ipairs(call('LRANGE', rotation_of(lane, priority), 0, 1)) do others = others or each ~= tenant end
  end
  if not others then return math.huge end
  lane.flying = lane.flying or {}
  local most, flying = (';' .. shares):match(';' .. lane.kind .. ':(%d+):([^;]*)')
  if not most then return math.huge end
  for each, count in flying:gmatch('([^,=]*)=(%d+)') do lane.flying[each] = lane.flying[each] or tonumber(count) end
  return tonumber(most) - (lane.flying[tenant] or 0)
end

-- Tenants take turns: eight of one, then the next, while more than one has work.
local function take_turns(lane, priority, begin, quota, shares)
  local rotation, passed = rotation_of(lane, priority), {}
  while lane.room > 0 and quota > 0 and budget > 0 do
    local tenant = call('LPOP', rotation)
    if not tenant then break end
    local shared = call('EXISTS', rotation) == 1
    local room = room_of_tenant(lane, tenant, shares, shared or #passed > 0)
    if room <= 0 then
      passed[#passed + 1], lane.passed = tenant, true
    else
      local list = P .. 'rdy:' .. lane.name .. ':' .. priority .. ':' .. tenant
      local most = math.min(lane.room, quota, room, shared and 8 or math.huge)
      local ids = call('LPOP', list, most) or {}
      local more = #ids == most and call('EXISTS', list) == 1
      if more then call('RPUSH', rotation, tenant) end
      for _, id in ipairs(ids) do
        if begin(id) then
          lane.room, quota = lane.room - 1, quota - 1
          if lane.flying then lane.flying[tenant] = (lane.flying[tenant] or 0) + 1 end
        else
          budget = budget - 1
        end
      end
      if not more and not shared then break end
    end
  end
  if #passed > 0 then call_each('RPUSH', rotation, passed) end
end

-- Priorities have weights, 6 to 3 to 1, while more than one has work: none starves, and what one leaves others take.
local function share_out(lane, fence, begin, shares)
  local busy, total, room = {}, 0, lane.room
  for priority = 0, 2 do
    if call('EXISTS', rotation_of(lane, priority)) == 1 then
      busy[#busy + 1], total = priority, total + WEIGHTS[priority]
    end
  end
  lane.mixed = #busy > 1
  if lane.mixed then
    -- The clock is the dice; times the golden ratio, so that claims at even distances do not all throw the same.
    local dice, first = math.fmod(math.fmod(tonumber(fence), 1000000) * 0.6180339887, 1) * total, nil
    for _, priority in ipairs(busy) do
      dice = dice - WEIGHTS[priority]
      if dice < 0 and not first then first = priority end
    end
    take_turns(lane, first, begin, math.ceil(room * WEIGHTS[first] / total), shares)
    for _, priority in ipairs(busy) do
      if priority ~= first then take_turns(lane, priority, begin, math.floor(room * WEIGHTS[priority] / total), shares) end
    end
  end
  for _, priority in ipairs(busy) do take_turns(lane, priority, begin, math.huge, shares) end
  if not lane.passed then return end -- else places that nobody else can fill are left to nobody
  for _, priority in ipairs(busy) do take_turns(lane, priority, begin, math.huge, '') end
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

-- How many runs it holds tells a pump of those that an answer which never came has given it. What became ready in
-- this very step, after its lane had been looked through, is due at once.
local function answer(pump, verdict, fence, lanes, rooms)
  local due, at_once = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES'), false
  for _, lane in ipairs(lanes) do
    for priority = 0, (touched[lane.name] or budget <= 0) and rooms[lane.kind] > 0 and 2 or -1 do
      at_once = at_once or call('EXISTS', rotation_of(lane, priority)) == 1
    end
  end
  out[1], out[2], out[4] = verdict, fence, call('SCARD', P .. 'held:' .. pump)
  out[3] = at_once and 0 or due[2] and math.max(0, math.ceil((due[2] - now) / 1000)) or -1
  return out
end
