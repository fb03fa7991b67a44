-- parking: lets those go that wait for long at a limit; they are parked there without a place on any guard, the earliest
-- first.
local function unpark(key)
  local parked = P .. 'lp:' .. key
  local g
  for _ = 1, 100 do
    local first = call('ZRANGE', parked, 0, 0)[1]
    if not first then return end
    for _, each in ipairs(guards_of(call('HGET', run_key(first), 'g') or '')) do
      if each.key == key and not each.lock then g = each end
    end
    if g then break end
    call('ZREM', parked, first)
  end
  if not g then return end
  local room, woken = room_of(g), false
  -- They stay here until they start or are stopped by another guard: a newcomer sees that they come before it.
  for _, id in ipairs(room > 0 and call('ZRANGE', parked, 0, math.min(room, 64) - 1) or {}) do
    local run = glance(id)
    woken = woken or run.status == 'waiting'
    if LIVE[run.status or ''] then wake_run(run) else call('ZREM', parked, id) end
  end
  if call('EXISTS', parked) == 0 then return end
  local again = room <= 0 and math.max(now + 1000, free_at(g)) or now + (woken and 20000 or 1000000)
  call('ZADD', P .. 'due', 'LT', int(again), 'G' .. key)
end

G.unpark = unpark
