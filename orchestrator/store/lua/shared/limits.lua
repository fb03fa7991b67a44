-- limits: how much room a rate limit has, and what takes it. Exact limits keep the times of the last n starts; the
-- others are GCRA, whose strict interval is per / (n - burst + 1): plain GCRA would let nearly 2n through.
local known, charged, PADDING, LONG = {}, {}, 10000, 3600 * 1000000
local any_changed
local CENTURY = 3.2e15 -- µs; whatever is asked for, no time lies further off: Redis takes none that does not fit its integers

local function px(us) return int(math.min(us, CENTURY) / 1000 + PADDING) end

local function limit_of(g)
  local l = known[g.key]
  if l then return l end
  if any_changed == nil then any_changed = call('EXISTS', P .. 'limits') == 1 end
  local own = any_changed and call('HMGET', P .. 'limits', g.key, g.name) or {}
  l = { key = g.key, n = g.n, per = g.per, burst = g.burst, most = g.n, pending = 0 }
  if own[1] or own[2] then -- changed by an operator, for this key or for all keys of the name
    local n, per, burst, cost = (own[1] or own[2]):match('(%d+) (%d+) (%d+) (%d+)')
    l.n, l.per, l.cost = tonumber(n), tonumber(per), tonumber(cost) > 0 and tonumber(cost) or nil
    if g.burst == 0 then
      l.n = math.min(l.n, 1000)
    else
      l.burst = tonumber(burst) > 0 and tonumber(burst) or math.max(1, math.floor(l.n / 2))
    end
    l.most = math.max(l.n, g.n)
  end
  l.per = math.min(l.per, CENTURY)
  if l.burst > 0 then
    l.burst = math.max(1, math.min(l.burst, l.n))
    l.step = math.ceil(l.per / (l.n - l.burst + 1))
    l.tat = tonumber(call('GET', P .. 'tat:' .. g.key) or '0')
  end
  l.cooled = tonumber(call('GET', P .. 'cool:' .. g.key) or '0')
  known[g.key] = l
  return l
end

local function cost_of(g, l) return l.burst > 0 and (l.cost or g.cost) or 1 end

-- When a run with this guard may start as far as the limit goes; in the past if it may now.
local function free_at(g)
  local l = limit_of(g)
  if l.n == 0 then return now + LONG end -- closed by an operator
  -- A cost above the burst (an operator has lowered it) asks for so much idle time before it.
  if l.burst > 0 then return math.max(l.cooled, l.tat - (l.burst - cost_of(g, l)) * l.step) end
  if l.pending >= l.n then return math.max(l.cooled, now + l.per) end
  local oldest = call('LINDEX', P .. 'lim:' .. g.key, l.n - 1 - l.pending)
  return math.max(l.cooled, oldest and oldest + l.per or 0)
end

-- How many such runs may start now.
local function room_of(g)
  local l = limit_of(g)
  if l.n == 0 or l.cooled > now then return 0 end
  if l.burst > 0 then
    return math.floor((l.burst * l.step - math.max(0, l.tat - now)) / (math.min(cost_of(g, l), l.burst) * l.step))
  end
  local room = l.n - l.pending
  for _, start in ipairs(call('LRANGE', P .. 'lim:' .. g.key, 0, l.n - 1)) do
    if tonumber(start) + l.per > now then room = room - 1 end
  end
  return room
end

local function note_charge(l)
  if not l.written then charged[#charged + 1] = l end
  l.written = true
end

-- run.charges tells what a refund needs: how the limit stood after this very charge.
local function charge(g, run)
  local l = limit_of(g)
  note_charge(l)
  if l.burst == 0 then
    l.pending = l.pending + 1
    return
  end
  l.tat = math.min(math.max(l.tat, now) + cost_of(g, l) * l.step, now + CENTURY)
  if cost_of(g, l) > 1 then run.charges = (run.charges or '') .. g.key .. '=' .. int(l.tat) .. '/' .. int(cost_of(g, l)) .. ' ' end
end

write_charges = function()
  for _, l in ipairs(charged) do
    if l.burst > 0 then
      call('SET', P .. 'tat:' .. l.key, int(l.tat), 'PX', px(math.max(0, l.tat - now) + l.per))
    else
      local starts = {}
      for at = 1, math.min(l.pending, l.most) do starts[at] = NOW end
      call('LPUSH', P .. 'lim:' .. l.key, unpack(starts))
      call('LTRIM', P .. 'lim:' .. l.key, 0, l.most - 1)
      call('PEXPIRE', P .. 'lim:' .. l.key, px(l.per))
    end
  end
  charged, known = {}, {}
end

-- Nobody passes for so long.
local function cool(key, ms)
  local us = math.min(tonumber(ms) * 1000, CENTURY)
  local till = now + us
  if till <= tonumber(call('GET', P .. 'cool:' .. key) or '0') then return end
  call('SET', P .. 'cool:' .. key, int(till), 'PX', px(us))
  if known[key] then known[key].cooled = till end
end

-- A run that had reserved its cost says what it really took. What is given back is only what time has not given back
-- already, as if all that was charged since came now.
local function settle_cost(g, spent, charges)
  local l = limit_of(g)
  if l.burst == 0 then return end
  local own, reserved
  for key, tat, units in charges:gmatch('(%S+)=(%d+)/(%d+)') do
    if key == g.key then own, reserved = tonumber(tat), tonumber(units) end
  end
  local more = math.max(0, spent) - (reserved or cost_of(g, l))
  if more > 0 then
    l.tat = math.min(math.max(l.tat, now) + more * l.step, now + CENTURY)
  else
    if more == 0 or not own then return end
    l.tat = math.min(l.tat, math.max(now, own + more * l.step) + (l.tat - own))
  end
  note_charge(l)
  if more < 0 and call('EXISTS', g.list, P .. 'lp:' .. g.key) > 0 then call('ZADD', P .. 'due', NOW, 'G' .. g.key) end
end

-- A run that was charged in this claim (`began`: when) has not begun after all.
local function give_back(g, began)
  local l = limit_of(g)
  if l.burst == 0 then
    call('LREM', P .. 'lim:' .. g.key, 1, began)
  elseif l.tat > now then
    l.tat = math.max(now, l.tat - cost_of(g, l) * l.step)
    note_charge(l)
  end
  if call('EXISTS', g.list, P .. 'lp:' .. g.key) > 0 then call('ZADD', P .. 'due', NOW, 'G' .. g.key) end
end

G.cool, G.give_back = cool, give_back
