-- fifos: who has the turn at a guard. A lock's first `places` have it until they end, a limit's first until it starts.
-- Entries of runs that ended while they waited are dropped when they come to the turn, so that cancel needs no search.
local function glance(id)
  local f = call('HMGET', RUN .. id, 's', 'q', 'p', 'u', 'c', 'n', 'sus', 'y')
  return { id = id, status = f[1] or nil, lane = f[2] or nil, priority = f[3] or '1', tenant = f[4] or '',
    conversation = f[5] or nil, attempt = f[6] or nil, level = f[7] or nil, why = f[8] or nil }
end

local function wake_run(run)
  if run.status ~= 'waiting' then return end -- it has had the turn before
  call('HSET', run_key(run.id), 's', 'ready', 'since', NOW)
  call('HDEL', run_key(run.id), 'y', 'until')
  make_ready(run.id, run.lane, run.priority, run.tenant, run.level, true)
  tell_run(run.conversation, run.id, 'ready', run.attempt)
end

local function turn_lock(g)
  while true do
    -- Beyond the last place there may be one that knows of fewer places: it looks again, and waits on.
    local id = call('LINDEX', g.list, g.places - 1) or (g.places > 1 and call('LINDEX', g.list, -1))
    if not id or id:find('~', 1, true) then return end -- a ghost leaves by itself
    local run = glance(id)
    if LIVE[run.status or ''] then
      if run.why == 'lock ' .. g.key then wake_run(run) end -- else it has its place here, and waits further up
      return
    end
    call('LREM', g.list, 1, id)
  end
end

-- look: find out when the next one may go, so that it need not be woken for that.
local function turn_limit(key, look)
  while true do
    local id = call('LINDEX', P .. 'lw:' .. key, 0)
    if not id then return end
    local run = glance(id)
    if LIVE[run.status or ''] then
      local free
      for _, g in ipairs(look and guards_of(call('HGET', run_key(id), 'g')) or {}) do
        if g.key == key and not g.lock then free = free_at(g) end
      end
      if not free or free <= now or free - now > PATIENCE then return wake_run(run) end
      if run.status == 'waiting' then call('ZADD', P .. 'due', int(free), 'G' .. key) end
      return
    end
    call('LPOP', P .. 'lw:' .. key)
  end
end

local function stands(g, id)
  if g.places == 1 then return call('LINDEX', g.list, 0) == id end
  local at = call('LPOS', g.list, id)
  return at and at < g.places
end

local function leave_lock(g, id)
  if not stands(g, id) then return false end
  if g.places == 1 then call('LPOP', g.list) else call('LREM', g.list, 1, id) end
  turn_lock(g)
  return true
end

-- A handler goes on after its run's end: its locks stay taken, under the name of a ghost that the pump holds.
local function haunt(run)
  local ghost, locks = run.id .. '~' .. run.fence, {}
  for _, g in ipairs(guards_of(run.guards)) do
    local at = g.lock and call('LPOS', g.list, run.id)
    if at then
      call('LSET', g.list, at, ghost)
      locks[#locks + 1] = 'L ' .. g.policy .. ' ' .. g.places .. ' ' .. g.key
    end
  end
  if #locks > 0 then call('SET', P .. 'gh:' .. ghost, table.concat(locks, '\n')) end
end

-- The ghost's handler has ended, or its pump is dead.
local function lay(pump, ghost)
  if call('SREM', P .. 'held:' .. pump, ghost) == 0 then return false end
  for _, g in ipairs(guards_of(call('GET', P .. 'gh:' .. ghost) or '')) do leave_lock(g, ghost) end
  call('DEL', P .. 'gh:' .. ghost)
  return true
end

-- A run gives up every place that it has; who comes next gets the turn. It goes on: it must not be found in a FIFO
-- again, also where it has not come to the turn.
local function leave(run, goes_on)
  if not run.more then return end
  local flying = is_running(run)
  if run.haunts then haunt(run) end
  for at, g in ipairs(guards_of(run.guards)) do
    if flying then
      if g.lock and not run.haunts then leave_lock(g, run.id) end
    elseif at <= run.rung then
      if g.lock and not leave_lock(g, run.id) and goes_on then call('LREM', g.list, -1, run.id) end
      if not g.lock then
        local head = call('LINDEX', g.list, 0) == run.id
        if head or goes_on then call('LREM', g.list, head and 1 or -1, run.id) end
        if head then turn_limit(g.key) end
      end
    end
  end
  if run.parked then call('ZREM', P .. 'lp:' .. run.parked, run.id) end
  call('HDEL', run_key(run.id), 'w', 'pk', 'pks', 'la')
  run.rung, run.parked = 0, nil
end

G.wake_run, G.turn_limit, G.leave, G.lay = wake_run, turn_limit, leave, lay
