-- ladder: a run climbs its guards from narrow to wide. Where one stops it, it keeps its places up to there and has
-- charged nothing; at the top all limits are charged together and it starts. It is the only way to hold a guard.

-- It stands on rungs 1 to `rung` from now on (locks were entered on the way).
local function stand(run, guards, rung, why, free)
  for at = run.rung + 1, rung do
    if not guards[at].lock then call('RPUSH', guards[at].list, run.id) end
  end
  local row = { 's', 'waiting', 'y', why .. ' ' .. guards[rung].key, 'since', NOW }
  if rung > run.rung then
    row[7], row[8], row[9], row[10] = 'la', NOW, 'w', rung
    run.rung = rung
  end
  if free then row[#row + 1], row[#row + 2] = 'until', int(free) end
  call('HSET', run_key(run.id), unpack(row))
  if run.parked then
    call('ZREM', P .. 'lp:' .. run.parked, run.id)
    if run.parked ~= guards[rung].key then call('HDEL', run_key(run.id), 'pk', 'pks') end
  end
  run.status = 'waiting'
  tell_run(run.conversation, run.id, 'waiting', run.attempt, why)
  return false
end

-- What takes longer than its patience is waited for without a place, so that an exhausted daily limit holds up no lock.
local function park(run, g, rung, free)
  local f = call('HMGET', run_key(run.id), 'la', 'pk', 'pks')
  local since = (f[2] == g.key and f[3]) or (run.rung == rung and f[1]) or NOW
  run.rung = math.max(run.rung, rung - 1)
  leave(run, true)
  call('HSET', run_key(run.id), 's', 'waiting', 'y', 'limit ' .. g.key, 'since', NOW, 'until', int(free), 'pk', g.key,
    'pks', since)
  call('ZADD', P .. 'lp:' .. g.key, since, run.id)
  call('ZADD', P .. 'due', 'LT', int(math.max(free, now + 1000)), 'G' .. g.key)
  tell_run(run.conversation, run.id, 'waiting', run.attempt, 'limit')
  return false
end

-- Only before its first attempt: what has been accepted and has run is not turned away when it comes again.
local function refuse(run, rung, code, text)
  local whole = read(run.id)
  whole.rung = rung
  settle(whole, 'refused', '{"code":"' .. code .. '","error":"' .. text .. '}')
  return false
end

-- The newest takes the place: who holds the lock is cancelled, and so is who waited to do the same. Whoever is met that
-- has ended is dropped, so that the FIFO of a busy lock stays short.
local function supersede(g, id)
  local at, same = 0, '\nL replace ' .. g.places .. ' ' .. g.key .. '\n'
  for _ = 1, 2000 do
    local other = call('LINDEX', g.list, at)
    if not other or other == id then break end
    local run = not other:find('~', 1, true) and read(other)
    local status = run and (LIVE[run.status or ''] and 'live' or 'gone') or 'ghost'
    if status == 'live' and (at < g.places or ('\n' .. run.guards .. '\n'):find(same, 1, true)) then
      status = stop(run, 'superseded')
    end
    if status == 'gone' or status == 'cancelled' then call('LREM', g.list, 1, other) else at = at + 1 end
  end
  return stands(g, id)
end

-- Nobody should stand at the head of a FIFO who has ended; if it was so after all, all behind it would wait for ever.
local function is_corpse(id)
  return id and not id:find('~', 1, true) and not LIVE[call('HGET', run_key(id), 's') or '']
end

local function climb_lock(run, guards, rung)
  local g = guards[rung]
  local mine = rung < run.rung
  if g.key:sub(1, 5) == '~run:' and not run.rescue and not run.of then -- its own: only what takes it back waits for it
    if rung > run.rung then call('RPUSH', g.list, run.id) end
    return true
  end
  if rung > run.rung then
    mine = call('RPUSH', g.list, run.id) <= g.places
    if not mine and is_corpse(call('LINDEX', g.list, 0)) then
      turn_lock(g)
      mine = stands(g, run.id)
    end
    if not mine and g.policy == 'replace' then mine = supersede(g, run.id) end
  elseif rung == run.rung then
    mine = stands(g, run.id)
  end
  if mine then return true end
  if g.policy ~= 'refuse' or run.claimed then return stand(run, guards, rung, 'lock') end
  if rung > run.rung then call('RPOP', g.list) else call('LREM', g.list, -1, run.id) end
  return refuse(run, rung - 1, 'locked', 'another run holds the lock ' .. g.key:match('^[^:]+') .. '"')
end

local function climb_limit(run, guards, rung)
  local g = guards[rung]
  local behind
  if rung > run.rung then
    behind = call('EXISTS', g.list) == 1
    if behind and is_corpse(call('LINDEX', g.list, 0)) then
      turn_limit(g.key)
      behind = call('EXISTS', g.list) == 1
    end
  else behind = rung == run.rung and call('LINDEX', g.list, 0) ~= run.id end
  local parked = run.parked ~= g.key and rung > run.rung and call('EXISTS', P .. 'lp:' .. g.key) == 1
  local free = free_at(g)
  if free <= now and not behind and not parked then return true end
  local wait = math.max(0, free - now)
  if g.policy == 'refuse' and not run.claimed then
    local s = math.max(1, math.ceil(wait / 1000000))
    return refuse(run, math.max(run.rung, rung - 1), 'rate_limited', 'the limit ' .. g.name .. ' is used up; try again in '
      .. int(s) .. ' s","retry_after_s":' .. int(s))
  end
  if parked or (wait > PATIENCE and not behind) then return park(run, g, rung, free) end
  if not behind then call('ZADD', P .. 'due', int(free), 'G' .. g.key) end
  return stand(run, guards, rung, 'limit', free)
end

-- Whether it may start now; otherwise it waits, or has ended.
local function climb(run)
  local guards, entered = guards_of(run.guards), run.rung
  for rung, g in ipairs(guards) do
    local passes = g.lock and climb_lock or climb_limit
    if not passes(run, guards, rung) then return false end
  end
  for rung, g in ipairs(guards) do
    if not g.lock then
      charge(g, run)
      if rung <= entered then -- its turn there is over
        call('LREM', g.list, 1, run.id)
        turn_limit(g.key, true)
      end
    end
  end
  if run.parked then call('ZREM', P .. 'lp:' .. run.parked, run.id) end
  if entered > 0 or run.parked then call('HDEL', run_key(run.id), 'w', 'pk', 'pks', 'la') end
  if run.charges then call('HSET', run_key(run.id), 'tau', run.charges) end
  return true
end

G.climb = climb
