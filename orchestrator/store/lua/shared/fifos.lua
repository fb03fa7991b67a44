-- fifos: who has the turn at a guard. A lock's first `places` have it until they end, a limit's first until it starts.
-- Entries of runs that ended while they waited are dropped when they come to the turn, so that cancel needs no search.
local function glance(id)
  local f = call('HMGET', RUN .. id, 's', 'q', 'p', 'u', 'c', 'n', 'sus', 'y')
  return { id = id, status = f[1] or nil, lane = f[2] or nil, priority = f[3] or '1', tenant = f[4] or '',
    conversation = f[5] or nil, attempt = f[6] or nil, level = f[7] or nil, why = f[8] or nil }
end

-- How many that ended while they waited are dropped at once; a million of them would be a long script.
local DROPPED = 500

local function turn_lock(g)
  for _ = 1, DROPPED do
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
  call('ZADD', P .. 'due', NOW, 'K' .. int(g.places) .. ' ' .. g.key)
end

local function turn_lock_again(rest)
  local places, key = rest:match('(%d+) (.*)')
  turn_lock({ places = tonumber(places), key = key, list = P .. 'lk:' .. key })
end

-- look: find out when the next one may go, so that it need not be woken for that.
local function turn_limit(key, look)
  for _ = 1, DROPPED do
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
  call('ZADD', P .. 'due', NOW, 'G' .. key)
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
  for _, g in ipairs(guards_of(call('GET', P .. 'gh:' .. ghost) or '')) do
    if not leave_lock(g, ghost) then call('LREM', g.list, 0, ghost) end -- another one of the same run stands before it
  end
  call('DEL', P .. 'gh:' .. ghost)
  return true
end

-- An entry that has not come to the turn. One of a run that has ended may stay in a long FIFO until it does; one that goes
-- on must not be found there again.
local function withdraw_from(list, id, goes_on)
  if goes_on or call('LLEN', list) <= 1000 then call('LREM', list, -1, id) end
end

-- A run gives up every place that it has; who comes next gets the turn.
local function leave(run, goes_on)
  if not run.more then return end
  local flying = is_running(run)
  if run.haunts then haunt(run) end
  for at, g in ipairs(guards_of(run.guards)) do
    if flying then
      if g.lock and not run.haunts and not leave_lock(g, run.id) then withdraw_from(g.list, run.id, true) end
    elseif at <= run.rung then
      if g.lock then
        if not leave_lock(g, run.id) then withdraw_from(g.list, run.id, goes_on) end
      elseif call('LINDEX', g.list, 0) == run.id then
        call('LPOP', g.list)
        turn_limit(g.key)
      else
        withdraw_from(g.list, run.id, goes_on)
      end
    end
  end
  if run.parked and call('ZREM', P .. 'lp:' .. run.parked, run.id) == 1 and not goes_on then
    call('ZADD', P .. 'due', NOW, 'G' .. run.parked) -- who comes next may have to wait less
  end
  call('HDEL', run_key(run.id), 'w', 'pk', 'pks', 'la')
  run.rung, run.parked = 0, nil
end

G.turn_lock_again, G.turn_limit, G.leave, G.lay = turn_lock_again, turn_limit, leave, lay
