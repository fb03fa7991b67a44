-- ready: the only way onto a ready list, and the only place that wakes a lane.
-- A lane is a queue, or a queue and what its runs need of a pump: 'actions' (the loop), 'actions/t' (a thread).
local fresh, order, touched = {}, {}, {}

-- level nil: in the tenant's turn; '1': a suspect, among few; '2': alone. front: before those that wait already.
local function make_ready(id, lane, priority, tenant, level, front)
  local name = 'rdy:' .. lane .. ':' .. priority .. ':' .. tenant
  if level == '1' then name = 'sus:' .. lane elseif level then name = 'alone:' .. lane end
  local tag = name .. (front and '<' or '>')
  local list = fresh[tag]
  if not list then
    list = { name = name, push = front and 'LPUSH' or 'RPUSH', tenant = tenant,
      rotation = not level and 'rot:' .. lane .. ':' .. priority }
    fresh[tag] = list
    order[#order + 1] = list
  end
  table.insert(list, front and 1 or #list + 1, id) -- LPUSH turns them round
  touched[lane] = true
end

-- What it waited for has come: it is ready, before those that were submitted after it.
local function wake_run(run)
  if run.status ~= 'waiting' then return end
  call('HSET', run_key(run.id), 's', 'ready', 'since', NOW)
  call('HDEL', run_key(run.id), 'y', 'until')
  make_ready(run.id, run.lane, run.priority, run.tenant, run.level, true)
  tell_run(run.conversation, run.id, 'ready', run.attempt)
end

-- Rotation holds exactly the tenants whose list is not empty.
local function flush_ready()
  for _, list in ipairs(order) do
    local length = call_each(list.push, P .. list.name, list)
    if list.rotation and length == #list then call('RPUSH', P .. list.rotation, list.tenant) end
  end
  fresh, order = {}, {}
end

local function has_work(lane)
  if call('EXISTS', P .. 'rot:' .. lane .. ':0', P .. 'rot:' .. lane .. ':1', P .. 'rot:' .. lane .. ':2',
    P .. 'sus:' .. lane, P .. 'alone:' .. lane) > 0 then return true end
  return false
end

-- A pump that is awake and has promised to claim from this lane again.
local function is_hot(lane)
  return call('ZCOUNT', P .. 'hot:' .. lane, '(' .. int(now), '+inf') > 0
end

-- A message for Celery: at most five a second for a queue, and never beside another.
local function nudge(queue)
  local template = call('HMGET', P .. 'env:' .. queue, 'key', 'message')
  if not template[1] or call('LLEN', template[1]) > 0 then return end
  if not call('SET', P .. 'nudged:' .. queue, 1, 'NX', 'PX', 200) then return end
  local id = 'nudge-' .. queue .. '-' .. int(now)
  call('LPUSH', template[1], (template[2]:gsub('@NUDGE@', id)))
end

-- One waking for one lane: a pump that is hot in it needs none (unless the caller is full and passes work on), then
-- the newest sleeper with room in it gets a token of its own, then Celery. Tokens have an address: on a shared list
-- Redis would give them to who waited longest, and the newest sleeper would stay unseen.
local function wake(lane, by_full_pump)
  if not by_full_pump and is_hot(lane) then return end
  local sleeper = call('ZPOPMAX', P .. 'slp:' .. lane)
  if not sleeper[2] or tonumber(sleeper[2]) <= now then return nudge(base_queue(lane)) end
  call('LPUSH', P .. 'wake:' .. sleeper[1], lane)
  call('PEXPIRE', P .. 'wake:' .. sleeper[1], 60000)
end

-- except: names of queues (space after each) that the caller claims from next and that need no waking.
local function wake_touched(except)
  flush_ready()
  for lane in pairs(touched) do
    if not (except and (' ' .. except):find(' ' .. base_queue(lane) .. ' ', 1, true)) then wake(lane) end
  end
end

-- The end of a script that seldom settles anything.
local function conclude(except)
  if G.close_rounds then return G.close_rounds(except) end
  wake_touched(except)
  publish()
end
